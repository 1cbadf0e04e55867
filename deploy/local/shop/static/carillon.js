// Carillon on this page, under the name that the chosen loader gives it.

const name = window.shopConfig.loader === "persoo" ? "persoo" : "carillon";

export const carillon = (...call) => window[name](...call);

export const send = (type, data) => carillon("send", type, data);
