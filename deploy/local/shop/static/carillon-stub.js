// What a shop pastes before the snippet's <script async>: calls wait until it is there.
window.carillon =
  window.carillon ||
  function () {
    (window.carillon.q = window.carillon.q || []).push(arguments);
  };
