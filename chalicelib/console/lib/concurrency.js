/** Writing over what was read: if somebody else has changed it since, people choose between theirs and their own. */

import { ApiError, patch, read } from "./api.js";
import { askConflict } from "./dialog.js";

/**
 * PATCH what was read with this ETag. Resolves to the entity as it is then, whoever's values won, or to undefined if
 * the caller of the dialog goes on editing. `labels`: field name to its label; `source`: where it is read, if elsewhere.
 */
export async function patchOver(path, values, etag, { key, labels, source = path } = {}) {
  for (let tag = etag, retryKey = key; ; ) {
    try {
      return await patch(path, values, { ifMatch: tag, key: retryKey });
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== "PRECONDITION_FAILED") throw error;
      const fresh = await read(source);
      const choice = await askConflict({ theirs: fresh.data, yours: values, labels });
      if (choice === "theirs") return fresh.data;
      if (choice !== "mine") return undefined;
      tag = fresh.etag;
      retryKey = undefined;
    }
  }
}
