/** Files to the person's downloads. */

import { download } from "../lib/api.js";

/** Save a text as a file. */
export function saveText({ text, name }, type = "text/csv") {
  // The mark tells spreadsheets that the text is UTF-8.
  const mark = type === "text/csv" && !text.startsWith("\uFEFF") ? "\uFEFF" : "";
  const address = URL.createObjectURL(new Blob([mark, text], { type: `${type};charset=utf-8` }));
  const anchor = document.createElement("a");
  anchor.href = address;
  anchor.download = name;
  anchor.click();
  // The browser takes the content when it starts the download, which may be after this turn.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** Ask for an export, as the signed-in caller, and save it. */
export const saveExport = async (path, query) => saveText(await download(path, query));
