// A page that includes OneSignal v15 itself, with the lines that Carillon's documentation names.
window.OneSignal = window.OneSignal || [];
window.OneSignal.SERVICE_WORKER_PATH = "OneSignalSDKWorker.js";
window.oneSignalWebHookURL = window.shopConfig.webhook;
window.OneSignal.push(() => {
  window.OneSignal.init({
    appId: window.shopConfig.oneSignalAppId,
    webhooks: {
      cors: true,
      "notification.displayed": window.oneSignalWebHookURL,
      "notification.clicked": window.oneSignalWebHookURL,
      "notification.dismissed": window.oneSignalWebHookURL,
    },
  });
});
