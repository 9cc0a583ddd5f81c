// What modules of the console are held to, besides tests: names that exist, none unused, and no loose comparison.
const names = [
  "AbortController", "AbortSignal", "Blob", "BroadcastChannel", "Headers", "URL", "URLSearchParams", "addEventListener", "clearInterval",
  "clearTimeout", "console", "crypto", "document", "fetch", "getComputedStyle", "history", "innerHeight", "innerWidth", "location",
  "matchMedia", "navigator", "removeEventListener", "requestAnimationFrame", "scrollTo", "sessionStorage", "setInterval", "setTimeout",
  "window",
];

export default [
  { ignores: ["**/vendor/**", ".cache/**", ".venv/**", "build/**"] },
  {
    languageOptions: { globals: Object.fromEntries(names.map((name) => [name, "readonly"])) },
    rules: {
      "array-callback-return": "error",
      eqeqeq: "error",
      "no-dupe-keys": "error",
      "no-undef": "error",
      "no-unreachable": "error",
      "no-unsafe-optional-chaining": "error",
      "no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "no-use-before-define": ["error", { functions: false, variables: false }],
      "no-var": "error",
      "prefer-const": "error",
    },
  },
];
