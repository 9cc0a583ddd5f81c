/** The device of a User-Agent header, as people call it. */

const BROWSERS = [
  [/Edg\//, "Edge"],
  [/OPR\//, "Opera"],
  [/Firefox\//, "Firefox"],
  [/HeadlessChrome\//, "Chrome"],
  [/Chrome\//, "Chrome"],
  [/Safari\//, "Safari"],
];
const SYSTEMS = [
  [/iPhone|iPad/, "iOS"],
  [/Android/, "Android"],
  [/Windows/, "Windows"],
  [/Mac OS X/, "macOS"],
  [/Linux/, "Linux"],
];

const first = (kinds, text) => kinds.find(([pattern]) => pattern.test(text))?.[1];

export function deviceOf(userAgent) {
  if (!userAgent) return "an unknown device";
  const [browser, system] = [first(BROWSERS, userAgent), first(SYSTEMS, userAgent)];
  if (!browser) return userAgent.split(/[ /]/)[0];
  return system ? `${browser} on ${system}` : browser;
}
