/** Clips that were saved here and are on their way to the server: kept on the device until it has them. */
import { api, ApiError } from '../../app/api';
import { device } from '../../app/kept';
import { mos } from '../../app/mos.svelte';
import { keepUpload, letGoOf, uploads, type Upload } from '../../offline/uploads';
import { clipPath } from '../../plan/clip';

const AGAIN_MS = 60_000;
/** Answers that another time may bring. */
const PASSING = [0, 401, 408, 429];

class Waiting {
  #all = $state.raw<readonly Upload[]>([]);
  #sending = false;

  /** Of whoever is signed in here. */
  readonly own = $derived(this.#all.filter(({ by }) => by === mos.session?.account.id));

  of(space: string): readonly Upload[] {
    return this.own.filter(({ path }) => path.startsWith(clipPath(space, '')));
  }

  find(space: string, id: string): Upload | undefined {
    return this.own.find(({ path }) => path === clipPath(space, id));
  }

  /** On the disk when it resolves; then it goes by itself. Fails with `StorageFull`. */
  async send(space: string, id: string, file: ArrayBuffer): Promise<void> {
    const by = mos.session?.account.id ?? '';
    await keepUpload(device().store, { path: clipPath(space, id), by, file, refused: null });
    void this.look();
  }

  /** Nobody waits for it any more. */
  async letGo({ path }: Upload): Promise<void> {
    await letGoOf(device().store, path);
    await this.#read();
  }

  /** Call while a component is set up: sends what waits, now and whenever there may be a network. */
  follow(): void {
    $effect(() => {
      // Whoever comes in, and each time that the server is met again.
      void [mos.session?.account.id, mos.status.online];
      void this.look();
    });
    $effect(() => {
      if (this.own.length === 0) return;
      const timer = setInterval(() => void this.look(), AGAIN_MS);
      return () => clearInterval(timer);
    });
  }

  /** Reads what waits here, and sends what may go. */
  async look(): Promise<void> {
    await this.#read();
    if (this.#sending) return;
    this.#sending = true;
    try {
      for (const each of this.own) if (each.refused === null && !(await this.#sent(each))) return;
    } finally {
      this.#sending = false;
    }
  }

  async #read(): Promise<void> {
    this.#all = await uploads(device().store).catch(() => this.#all);
  }

  /** False where the others need not be tried now. */
  async #sent(upload: Upload): Promise<boolean> {
    try {
      await api.put(upload.path, { audio: base64(upload.file) });
      await letGoOf(device().store, upload.path);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (PASSING.includes(error.status) || error.status >= 500) return false;
      await keepUpload(device().store, { ...upload, refused: error.code });
    }
    await this.#read();
    return true;
  }
}

export const waiting = new Waiting();

function base64(file: ArrayBuffer): string {
  const bytes = new Uint8Array(file);
  let text = '';
  // As many arguments as every browser takes.
  for (let at = 0; at < bytes.length; at += 8192)
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}
