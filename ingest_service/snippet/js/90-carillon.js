// As snippet.js: the function is `carillon`.

install("carillon");
