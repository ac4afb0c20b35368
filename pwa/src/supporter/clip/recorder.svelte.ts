/** Records one voice for half a minute at the most. Pure of screens: what came of it is told in words elsewhere. */
import { open } from '../../app/sound';
import { MOST_SECONDS, type Clip } from '../../plan/clip';

/** As browsers name what they can make: Chromium and Firefox the first, Safari the second. */
const KINDS = ['audio/webm;codecs=opus', 'audio/mp4;codecs=mp4a.40.2', 'audio/mp4'];
/** A voice needs no more; half a minute becomes 120 kB. */
const BITS_PER_SECOND = 32_000;
/** The server takes no more (mos.speech.rules.clips). */
const MOST_BYTES = 400_000;
/** How often the level and the time are shown. */
const LOOK_MS = 80;

export type Trouble = 'refused' | 'missing' | 'busy' | 'unable' | 'empty' | 'large';
type State = 'idle' | 'asking' | 'recording';

export class Recorder {
  state = $state<State>('idle');
  trouble = $state<Trouble | null>(null);
  /** Of what is being recorded. */
  seconds = $state(0);
  /** 0 to 1, as an ear hears it. */
  level = $state(0);
  readonly #made: (clip: Clip, file: ArrayBuffer) => void;
  #end: () => void = () => undefined;
  #running: Promise<void> = Promise.resolve();
  #gone = false;

  constructor(made: (clip: Clip, file: ArrayBuffer) => void) {
    this.#made = made;
  }

  /** Call from a gesture: the browser may ask for the microphone. */
  start(): Promise<void> {
    if (this.state === 'idle') this.#running = this.#run();
    return this.#running;
  }

  /** Stops, if somebody is speaking; resolves when what was said is there. */
  async finish(): Promise<void> {
    if (this.state !== 'recording') return;
    this.stop();
    await this.#running;
  }

  async #run(): Promise<void> {
    this.trouble = null;
    const kind = kindHere();
    if (kind === null) {
      this.trouble = 'unable';
      return;
    }
    this.state = 'asking';
    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true },
      });
      if (this.#gone) letGo(stream);
      else await this.#record(stream, kind);
    } catch (error) {
      this.trouble = troubleOf(error);
    } finally {
      this.state = 'idle';
      this.level = 0;
    }
  }

  stop(): void {
    this.#end();
  }

  /** The screen is left: nothing is recorded any more, and nothing comes of what was. */
  close(): void {
    this.#gone = true;
    this.#end();
  }

  async #record(stream: MediaStream, kind: string): Promise<void> {
    const recorder = new MediaRecorder(stream, {
      mimeType: kind,
      audioBitsPerSecond: BITS_PER_SECOND,
    });
    const parts: Blob[] = [];
    recorder.ondataavailable = ({ data }) => parts.push(data);
    const measure = meter(stream);
    const over = new Promise<void>((resolve, reject) => {
      recorder.onstop = () => resolve();
      recorder.onerror = () => reject(new DOMException('It broke off.', 'NotReadableError'));
    });
    this.#end = () => {
      if (recorder.state !== 'inactive') recorder.stop();
    };
    const began = performance.now();
    const passed = (): number => (performance.now() - began) / 1000;
    recorder.start();
    this.seconds = 0;
    this.state = 'recording';
    const timer = setInterval(() => {
      this.level = measure.level();
      this.seconds = Math.min(passed(), MOST_SECONDS);
      if (passed() >= MOST_SECONDS) this.stop();
    }, LOOK_MS);
    try {
      await over;
      this.seconds = passed();
    } finally {
      clearInterval(timer);
      measure.end();
      letGo(stream);
    }
    const file = await new Blob(parts).arrayBuffer();
    if (this.#gone) return;
    if (file.byteLength === 0) this.trouble = 'empty';
    else if (file.byteLength > MOST_BYTES) this.trouble = 'large';
    else this.#made({ id: await nameOf(file), seconds: whole(this.seconds) }, file);
  }
}

/** What this browser records that others can play; null where it records nothing. */
function kindHere(): string | null {
  const { mediaDevices } = navigator as { mediaDevices?: MediaDevices };
  if (mediaDevices === undefined || typeof MediaRecorder === 'undefined') return null;
  return KINDS.find((kind) => MediaRecorder.isTypeSupported(kind)) ?? null;
}

export function troubleOf(error: unknown): Trouble {
  const name = error instanceof DOMException ? error.name : '';
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'refused';
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return 'missing';
  return name === 'NotReadableError' || name === 'AbortError' ? 'busy' : 'unable';
}

function whole(seconds: number): number {
  return Math.min(Math.max(Math.round(seconds), 1), MOST_SECONDS);
}

async function nameOf(file: ArrayBuffer): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', file));
  return [...hash].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** How loud it is right now. Where it cannot be measured it is silent, and recorded all the same. */
function meter(stream: MediaStream): { level: () => number; end: () => void } {
  const audio = open();
  if (audio === null) return { level: () => 0, end: () => undefined };
  void audio.resume().catch(() => undefined);
  const source = audio.createMediaStreamSource(stream);
  const analyser = audio.createAnalyser();
  analyser.fftSize = 1024;
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  return {
    level() {
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, each) => sum + each * each, 0) / samples.length;
      // From a whisper, 50 dB below full, to full.
      return Math.min(Math.max((10 * Math.log10(power + 1e-9) + 50) / 50, 0), 1);
    },
    end: () => source.disconnect(),
  };
}

function letGo(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
