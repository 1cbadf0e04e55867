// Persoo's loader waits for the page's actions with the page hidden. There are none: show it.

if (window.persooLoader && window.persooLoader.finish) window.persooLoader.finish();
