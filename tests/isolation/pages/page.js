// A page that has the package at hand, as the tests drive it.
globalThis.tidegate = import('/pkg/dist/web.js');
