/** The signed URLs of files that wait for their upload, renewed when the storage refuses them. */

const RENEWED_AT_ONCE = 100; // the refused one, and those that wait behind it and end no later

export class Grants {
  #fresh;
  #grants = new Map();
  #last = Promise.resolve();

  /** `fresh` asks the platform for new URLs of these assets. */
  constructor(fresh) {
    this.#fresh = fresh;
  }

  set(assetId, grant) {
    this.#grants.set(assetId, grant);
  }

  /** The URL of a file; undefined when the platform has the file. */
  get(assetId) {
    return this.#grants.get(assetId);
  }

  delete(assetId) {
    this.#grants.delete(assetId);
  }

  /** Another URL than the refused one; undefined when the platform has the file. One renewal at a time. */
  renew(assetId, refused) {
    const renewal = this.#last.then(async () => {
      if (this.get(assetId) === refused) await this.#renew(assetId, refused);
      return this.get(assetId);
    });
    this.#last = renewal.catch(() => {});
    return renewal;
  }

  async #renew(assetId, refused) {
    const old = [...this.#grants].filter(([id, grant]) => id !== assetId && grant.expires_at <= refused.expires_at);
    const asked = [assetId, ...old.slice(0, RENEWED_AT_ONCE - 1).map(([id]) => id)];
    for (const file of (await this.#fresh(asked)).files) {
      if (file.upload) this.set(file.asset_id, file.upload);
      else this.delete(file.asset_id);
    }
  }
}
