/** For tests: a server that merges as docs/sync.md says, a network that fails on command, a machine with its own clock. */
import { NEVER, send as stampAfter, millis } from './hlc';
import type { Json } from './model';
import type { Platform } from './platform';
import {
  SyncError,
  type Check,
  type Hello,
  type HelloAnswer,
  type Network,
  type Op,
  type PokeListener,
  type Pull,
  type PullAnswer,
  type Push,
  type PushAnswer,
  type Verdict,
  type WireRow,
} from './protocol';
import { fingerprint, recOf } from './view';

// Node has it; the app's own types must not.
declare function setImmediate(then: () => void): void;

interface Rec {
  coll: string;
  seq: number;
  doc: Record<string, Json>;
  clk: Record<string, string>;
  event: boolean;
}

class FakeSpace {
  epoch = 1;
  readonly recs = new Map<string, Rec>();
  readonly log: { op: Op; seq: number; device: string; hlc: string }[] = [];
  readonly lastN = new Map<string, number>();
  /** Highest clock kept of each device. */
  readonly floors = new Map<string, string>();

  get head(): number {
    return this.log.length;
  }

  cursor(seq = this.head): string {
    const tag = seq === 0 ? '00000000' : (this.log[seq - 1]?.op.op.slice(-8) ?? '');
    return `${this.epoch}.${seq}.${tag}`;
  }

  check(): Check {
    const rows = [...this.recs].map(([rec, row]) => ({ space: '', rec, ...row }));
    return fingerprint(rows);
  }
}

/** The server. `now` is its clock; ops of other devices are pushed through `push` too. */
export class FakeServer {
  readonly spaces = new Map<string, FakeSpace>();
  readonly gone = new Map<string, string>();
  /** Ops it refuses, and how. */
  refuse: (op: Op) => Verdict | null = () => null;
  /** Ops that make a whole request unreadable. */
  poison: (op: Op) => boolean = () => false;
  account = 'account-1';
  /** What everybody may do in every space. */
  permissions = ['plan.view', 'plan.edit', 'outcome.record'];
  readonly quarantine: Op[] = [];
  readonly limits = { ops: 500, bytes: 1_048_576 };
  readonly listeners = new Set<PokeListener>();
  pushes = 0;
  pulls = 0;
  now: () => number;

  constructor(now: () => number) {
    this.now = now;
  }

  space(id: string): FakeSpace {
    const known = this.spaces.get(id);
    if (known !== undefined) return known;
    const made = new FakeSpace();
    this.spaces.set(id, made);
    return made;
  }

  hello(body: Hello): HelloAnswer {
    const acked = [...this.spaces].map(
      ([id, space]) => [id, space.lastN.get(body.device_id) ?? 0] as const,
    );
    return {
      server_now: this.#time(),
      lease_until: new Date(this.now() + 14 * 86_400_000).toISOString(),
      limits: this.limits,
      acked: Object.fromEntries(acked),
      spaces: this.#grants(),
      wipe: false,
    };
  }

  push(body: Push): PushAnswer {
    this.pushes += 1;
    if (body.ops.length > this.limits.ops) throw new SyncError('too_large');
    if (body.ops.some((op) => this.poison(op))) throw new SyncError('malformed');
    const restamped: Record<string, string> = {};
    const results = body.ops.map((op) => this.#accept(op, body.device_id, restamped));
    if (results.length > 0) this.poke();
    return { server_now: this.#time(), results, restamped };
  }

  pull(body: Pull): PullAnswer {
    this.pulls += 1;
    const answer = { server_now: this.#time(), spaces: [], added: [], gone: [], reset: [] } as {
      -readonly [K in keyof PullAnswer]: PullAnswer[K] extends readonly (infer T)[]
        ? T[]
        : PullAnswer[K];
    };
    let room = body.limit;
    for (const [id, cursor] of Object.entries(body.spaces)) {
      const why = this.gone.get(id);
      const space = this.spaces.get(id);
      if (why !== undefined || space === undefined) {
        answer.gone.push({ id, why: why ?? 'revoked', purge: true });
        continue;
      }
      const seq = cursor === '' ? 0 : Number(cursor.split('.')[1]);
      if (cursor !== '' && (seq > space.head || cursor !== space.cursor(seq))) {
        answer.reset.push({ id, why: 'epoch' });
        continue;
      }
      if (cursor === space.cursor()) continue;
      const news = [...space.recs]
        .filter(([, row]) => row.seq > seq)
        .sort(([, a], [, b]) => a.seq - b.seq);
      const rows: WireRow[] = news
        .slice(0, room)
        .map(([rec, row]) => [row.coll, rec, row.seq, { ...row.doc }, { ...row.clk }]);
      room -= rows.length;
      const more = rows.length < news.length;
      const upTo = more ? (rows.at(-1)?.[2] ?? seq) : space.head;
      answer.spaces.push({
        id,
        rows,
        cur: more && rows.length === 0 ? cursor : space.cursor(upTo),
        more,
        ...(more ? {} : { check: space.check() }),
      });
    }
    answer.added = this.#grants().filter(({ id }) => !(id in body.spaces));
    return answer;
  }

  /** Tell every listener where the spaces are. */
  poke(): void {
    const heads = Object.fromEntries([...this.spaces].map(([id, { head }]) => [id, head]));
    for (const listener of this.listeners) listener.heads(heads);
  }

  /** Tell every listener that others may be seen, or other things done. */
  accessChanged(): void {
    for (const listener of this.listeners) listener.access();
  }

  /** Every stream breaks. */
  hangUp(): void {
    const before = [...this.listeners];
    this.listeners.clear();
    for (const listener of before) listener.ended(null);
  }

  /** The server is restored from a copy in which only the first `seq` changes of a space are. */
  loseTail(id: string, seq: number): void {
    const old = this.space(id);
    const restored = new FakeSpace();
    restored.epoch = old.epoch + 1;
    this.spaces.set(id, restored);
    for (const { op, device } of old.log.slice(0, seq)) this.#merge(restored, op, device, op.hlc);
  }

  #accept(op: Op, device: string, restamped: Record<string, string>): Verdict {
    if (this.gone.has(op.space)) {
      this.quarantine.push(op);
      return { op: op.op, s: 'forbidden', code: 'no_access' };
    }
    const space = this.space(op.space);
    const refusal = this.refuse(op);
    if (refusal !== null) {
      if (refusal.s !== 'retry') this.quarantine.push(op);
      return refusal;
    }
    const before = space.log.find((each) => each.op.op === op.op);
    if (before !== undefined) return { op: op.op, s: 'dup', seq: before.seq };
    let hlc = op.hlc;
    if (millis(hlc) > this.now() + 60_000) {
      hlc = stampAfter(space.floors.get(device) ?? NEVER, this.now(), op.hlc.slice(16));
      restamped[op.op] = hlc;
    }
    return this.#merge(space, op, device, hlc);
  }

  #merge(space: FakeSpace, op: Op, device: string, hlc: string): Verdict {
    const rec = recOf(op);
    const known = space.recs.get(rec);
    if (known !== undefined && (known.event || op.k === 'event' || known.coll !== op.coll)) {
      return { op: op.op, s: 'invalid', code: 'rec_taken' };
    }
    const row: Rec = known ?? { coll: op.coll, seq: 0, doc: {}, clk: {}, event: op.k === 'event' };
    const groups = op.k === 'event' ? { v: op.v, by: this.account } : op.f;
    const won = Object.entries(groups).filter(([group]) => hlc > (row.clk[group] ?? NEVER));
    const seq = space.head + 1;
    space.log.push({ op: { ...op, hlc }, seq, device, hlc });
    space.lastN.set(device, Math.max(space.lastN.get(device) ?? 0, op.n));
    if (hlc > (space.floors.get(device) ?? NEVER)) space.floors.set(device, hlc);
    if (won.length === 0) return { op: op.op, s: 'superseded', seq };
    for (const [group, value] of won) {
      row.doc[group] = value;
      row.clk[group] = hlc;
    }
    row.seq = seq;
    space.recs.set(rec, row);
    return { op: op.op, s: 'applied', seq };
  }

  #grants(): { id: string; role: string; permissions: string[] }[] {
    return [...this.spaces.keys()]
      .filter((id) => !this.gone.has(id))
      .map((id) => ({ id, role: 'caregiver', permissions: [...this.permissions] }));
  }

  #time(): string {
    return new Date(this.now()).toISOString();
  }
}

/** What may happen to a request. */
export type Fate = 'ok' | 'lost' | 'answer_lost' | 'twice' | 'never';

/** The way to the server. `fate` decides over each request. */
export class FakeNetwork implements Network {
  readonly server: FakeServer;
  fate: (what: 'hello' | 'push' | 'pull') => Fate = () => 'ok';
  /** What happens on the device while a request is under way. */
  meanwhile: (what: 'hello' | 'push' | 'pull') => Promise<void> = async () => undefined;

  constructor(server: FakeServer) {
    this.server = server;
  }

  hello(body: Hello): Promise<HelloAnswer> {
    return this.#carry('hello', () => this.server.hello(copy(body)));
  }

  push(body: Push): Promise<PushAnswer> {
    return this.#carry('push', () => this.server.push(copy(body)));
  }

  pull(body: Pull): Promise<PullAnswer> {
    return this.#carry('pull', () => this.server.pull(copy(body)));
  }

  poke(listener: PokeListener): () => void {
    this.server.listeners.add(listener);
    return () => this.server.listeners.delete(listener);
  }

  async #carry<T>(what: 'hello' | 'push' | 'pull', answer: () => T): Promise<T> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    const fate = this.fate(what);
    if (fate === 'lost') throw new SyncError('offline');
    if (fate === 'never') return new Promise<never>(() => undefined);
    const given = copy(answer());
    await this.meanwhile(what);
    if (fate === 'answer_lost') throw new SyncError('offline');
    return fate === 'twice' ? copy(answer()) : given;
  }
}

/** A machine of its own: its clock can be set, its timers run when `pass` lets time pass. */
export class FakeMachine implements Platform {
  time: number;
  #state: number;
  #timers: { at: number; then: () => void }[] = [];
  readonly #locks = new Map<string, Promise<void>>();
  readonly #channels = new Map<string, Set<(message: unknown) => void>>();

  constructor(time: number, seed = 1) {
    this.time = time;
    this.#state = seed;
  }

  now = (): number => this.time;
  random = (bytes: number): Uint8Array =>
    Uint8Array.from({ length: bytes }, () => this.#next() % 256);
  chance = (): number => this.#next() / 2 ** 31;

  later = (ms: number, then: () => void): (() => void) => {
    const timer = { at: this.time + ms, then };
    this.#timers.push(timer);
    return () => (this.#timers = this.#timers.filter((each) => each !== timer));
  };

  lock = (name: string, whileHeld: () => Promise<void>): void => {
    this.#locks.set(name, (this.#locks.get(name) ?? Promise.resolve()).then(whileHeld));
  };

  channel = (
    name: string,
    hear: (message: unknown) => void,
  ): { say(message: unknown): void; close(): void } => {
    const all = this.#channels.get(name) ?? new Set();
    this.#channels.set(name, all.add(hear));
    return {
      say: (message) => {
        for (const each of all)
          if (each !== hear) setImmediate(() => all.has(each) && each(copy(message)));
      },
      close: () => all.delete(hear),
    };
  };

  /** Let time pass, timer by timer. */
  async pass(ms: number): Promise<void> {
    const end = this.time + ms;
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((each) => each !== next);
      this.time = Math.max(this.time, next.at);
      next.then();
      await settle();
    }
    this.time = end;
  }

  // xorshift: the same numbers for the same seed.
  #next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state >>> 1;
  }
}

/** Let everything that can happen without time passing happen. */
export async function settle(turns = 150): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}

function copy<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
