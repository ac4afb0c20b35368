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
  type Ranges,
  type ResolveOp,
  type SafetyOp,
  type SnapshotPlace,
  type ToldRefusal,
  type Verdict,
  type WireRow,
} from './protocol';
import { fingerprint, recOf } from './view';

// Node has it; the app's own types must not.
declare function setImmediate(then: () => void): void;

function base64(url: string): string {
  return url.replaceAll('-', '+').replaceAll('_', '/');
}

function systemId(seq: number): string {
  return `00000000-0000-5000-8000-${String(seq).padStart(12, '0')}`;
}

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
  readonly log: { op: Op; seq: number; device: string; hlc: string; was?: string }[] = [];
  readonly lastN = new Map<string, number>();
  /** Numbers that came, and that were given up, by device. */
  readonly came = new Map<string, Set<number>>();
  readonly lost = new Map<string, Set<number>>();
  /** Highest clock kept of each device. */
  readonly floors = new Map<string, string>();

  get head(): number {
    return this.log.length;
  }

  cursor(seq = this.head): string {
    const tag = seq === 0 ? '00000000' : (this.log[seq - 1]?.op.op.slice(-8) ?? '');
    return `${this.epoch}.${seq}.${tag}`;
  }

  /** What never came of a device, below its last. */
  missing(device: string): Ranges {
    const found: [number, number][] = [];
    for (let n = 1; n < (this.lastN.get(device) ?? 0); n++) {
      if (this.came.get(device)?.has(n) === true || this.lost.get(device)?.has(n) === true)
        continue;
      const before = found.at(-1);
      if (before?.[1] === n - 1) before[1] = n;
      else found.push([n, n]);
    }
    return found;
  }

  note(which: Map<string, Set<number>>, device: string, n: number): void {
    which.set(device, (which.get(device) ?? new Set()).add(n));
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
  /** Sessions of which the server has given the key; their accounts. */
  readonly sessions = new Map<string, { account: string; key: string }>();
  /** The collections it knows; null: all, and it does not say so. */
  colls: readonly string[] | null = null;
  /** Whether it offers streams. */
  streams = true;
  /** May confirm what is proposed. */
  confirms = true;
  leaseMs = 14 * 86_400_000;
  readonly hellos: Hello[] = [];
  readonly pushed: Push[] = [];
  readonly wipes: { device_id: string; nonce: string }[] = [];
  /** Sessions that a device had ended. */
  readonly ended: (string | null)[] = [];
  /** How many lines a stream gives after its first. */
  readonly streamed: string[] = [];
  readonly quarantine: Op[] = [];
  /** Refused changes that their authors have not read, by account. */
  readonly unread = new Map<string, ToldRefusal[]>();
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
    this.hellos.push(body);
    for (const [id, ranges] of Object.entries(body.lost ?? {})) {
      for (const [from, to] of ranges)
        for (let n = from; n <= to; n++)
          this.space(id).note(this.space(id).lost, body.device_id, n);
    }
    const acked = [...this.spaces].map(
      ([id, space]) => [id, space.lastN.get(body.device_id) ?? 0] as const,
    );
    const unread = (this.unread.get(this.account) ?? []).filter(
      ({ op }) => body.read?.includes(op) !== true,
    );
    this.unread.set(this.account, unread);
    return {
      server_now: this.#time(),
      lease_until: new Date(this.now() + this.leaseMs).toISOString(),
      limits: this.limits,
      ...(this.colls && {
        schema: { colls: Object.fromEntries(this.colls.map((coll) => [coll, 1])) },
      }),
      acked: Object.fromEntries(acked),
      missing: this.#missing(body.device_id),
      spaces: this.#grants(),
      refused: unread.map((each) =>
        this.gone.has(each.space) ? { ...each, rec: null, what: {}, bare: true } : each,
      ),
      wipe: false,
    };
  }

  push(body: Push, account = this.account): PushAnswer {
    this.pushes += 1;
    if (body.ops.length > this.limits.ops) throw new SyncError('too_large');
    if (body.ops.some((op) => this.poison(op))) throw new SyncError('malformed');
    this.pushed.push(body);
    const author = body.as === undefined ? account : this.#authorOf(body);
    const restamped: Record<string, string> = {};
    const broken = new Set(body.ops.filter((op) => this.#refusal(op)).map(({ g }) => g));
    const results = body.ops.map((op): Verdict => {
      const isBroken = op.g !== undefined && broken.has(op.g);
      const verdict: Verdict =
        isBroken && this.#refusal(op) === null
          ? { op: op.op, s: 'invalid', code: 'group' }
          : this.#accept(op, body.device_id, author, restamped);
      if (verdict.s !== 'retry' && this.spaces.has(op.space)) {
        const space = this.space(op.space);
        space.note(space.came, body.device_id, op.n);
        space.lastN.set(body.device_id, Math.max(space.lastN.get(body.device_id) ?? 0, op.n));
      }
      this.#keepForAuthor(op, verdict, author);
      return verdict;
    });
    if (results.length > 0) this.poke();
    const missing = this.#missing(body.device_id);
    return { server_now: this.#time(), results, restamped, missing };
  }

  snapshot(path: string, from: SnapshotPlace | null): unknown[] {
    const id = path.split('/').at(-1) ?? '';
    const space = this.spaces.get(id);
    if (!this.streams || space === undefined) throw new SyncError('no_snapshot');
    if (from !== null && from.epoch !== space.epoch) throw new SyncError('stale_snapshot');
    this.streamed.push(from?.after ?? '');
    const rows = [...space.recs]
      .map(([rec, row]): WireRow => [row.coll, rec, row.seq, { ...row.doc }, { ...row.clk }])
      .filter(([, rec]) => rec > (from?.after ?? ''))
      .sort(([, a], [, b]) => (a < b ? -1 : 1));
    const at = from?.at ?? space.head;
    const [, , tag] = space.cursor(at).split('.');
    const head = { space: id, epoch: space.epoch, seq: at, tag, schema: 1, ...space.check() };
    return [head, ...rows, { end: true }];
  }

  pull(body: Pull): PullAnswer {
    this.pulls += 1;
    if (Object.keys(body.spaces).length > 1000) throw new SyncError('malformed');
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
        answer.reset.push({ id, why: 'epoch', ...this.#snap(id) });
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
    answer.added = this.#grants()
      .filter(({ id }) => body.part !== true && !(id in body.spaces))
      .map((grant) => ({ ...grant, ...this.#snap(grant.id) }));
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
    for (const { op, device } of old.log.slice(0, seq)) {
      this.#merge(restored, op, device, this.account, op.hlc);
      restored.note(restored.came, device, op.n);
      restored.lastN.set(device, Math.max(restored.lastN.get(device) ?? 0, op.n));
    }
  }

  /** Make a record that nobody pushed: what the server itself writes. */
  write(id: string, coll: string, rec: string, doc: Record<string, Json>): void {
    const space = this.space(id);
    const seq = space.head + 1;
    const hlc = stampAfter(NEVER, this.now(), '0'.repeat(16));
    const before = space.recs.get(rec);
    const clk = Object.fromEntries(Object.keys(doc).map((group) => [group, hlc]));
    space.log.push({
      op: { op: systemId(seq), n: 0, space: id, hlc, k: 'set', coll, rec, f: doc },
      ...{ seq, device: 'server', hlc },
    });
    space.recs.set(rec, {
      ...{ coll, seq, event: false },
      doc: { ...before?.doc, ...doc },
      clk: { ...before?.clk, ...clk },
    });
  }

  /** What a device has to know of a session to act for it. */
  session(sid: string, account: string): { sid: string; key: string } {
    const key = btoa(sid.padEnd(32, '>').slice(0, 32)).replaceAll('+', '-').replaceAll('/', '_');
    this.sessions.set(sid, { account, key });
    return { sid, key };
  }

  #keepForAuthor(op: Op, verdict: Verdict, author: string): void {
    if (verdict.s !== 'invalid' && verdict.s !== 'forbidden' && verdict.s !== 'stale_resolve')
      return;
    const told = (this.unread.get(author) ?? []).filter((each) => each.op !== op.op);
    const what =
      op.k === 'set' ? op.f : op.k === 'resolve' ? { choose: op.choose } : { v: { ...op.v } };
    const code = verdict.s === 'stale_resolve' ? verdict.s : verdict.code;
    const { space, coll } = op;
    const at = new Date(millis(op.hlc)).toISOString();
    told.unshift({ op: op.op, space, coll, rec: recOf(op), what, code, verdict: verdict.s, at });
    this.unread.set(author, told);
  }

  #authorOf(body: Push): string {
    const session = this.sessions.get(body.as?.sid ?? '');
    if (session === undefined) throw new SyncError('not_the_author');
    return session.account;
  }

  /** Fails for ops that are not signed by the session they name. */
  async verify(body: Push): Promise<void> {
    const session = this.sessions.get(body.as?.sid ?? '');
    if (body.as === undefined || session === undefined) return;
    const raw = Uint8Array.from(atob(base64(session.key)), (each) => each.charCodeAt(0));
    const how = { name: 'HMAC', hash: 'SHA-256' };
    const key = await crypto.subtle.importKey('raw', raw, how, false, ['verify']);
    const text = [body.device_id, body.batch, ...body.ops.map((op) => JSON.stringify(op))];
    const mac = Uint8Array.from(body.as.mac.match(/../g) ?? [], (hex) => parseInt(hex, 16));
    const signed = new TextEncoder().encode(text.join('\n'));
    if (!(await crypto.subtle.verify('HMAC', key, mac, signed)))
      throw new SyncError('not_the_author');
  }

  #missing(device: string): Record<string, Ranges> {
    const all = [...this.spaces].map(([id, space]) => [id, space.missing(device)] as const);
    return Object.fromEntries(all.filter(([, ranges]) => ranges.length > 0));
  }

  #refusal(op: Op): Verdict | null {
    if (this.gone.has(op.space)) return { op: op.op, s: 'forbidden', code: 'no_access' };
    if (this.colls?.includes(op.coll) === false)
      return { op: op.op, s: 'invalid', code: 'unknown_collection' };
    return this.refuse(op);
  }

  #accept(op: Op, device: string, account: string, restamped: Record<string, string>): Verdict {
    const refusal = this.#refusal(op);
    if (refusal !== null) {
      if (refusal.s !== 'retry') this.quarantine.push(op);
      return refusal;
    }
    const space = this.space(op.space);
    const before = space.log.find((each) => each.op.op === op.op);
    if (before !== undefined)
      return { op: op.op, s: 'dup', seq: before.seq, was: before.was ?? 'applied' };
    let hlc = op.hlc;
    if (millis(hlc) > this.now() + 60_000) {
      hlc = stampAfter(space.floors.get(device) ?? NEVER, this.now(), op.hlc.slice(16));
      restamped[op.op] = hlc;
    }
    if (op.k === 'safety' || op.k === 'resolve')
      return this.#decide(space, op, device, account, hlc);
    return this.#merge(space, op, device, account, hlc);
  }

  /** A confirmed value changes only by what was made from it, or by a choice that saw all. */
  #decide(
    space: FakeSpace,
    op: SafetyOp | ResolveOp,
    device: string,
    account: string,
    hlc: string,
  ): Verdict {
    const id = `conflict-${op.rec}`;
    const active = space.recs.get(op.rec)?.doc['active'] as { ver: string; v: Json } | undefined;
    const conflict = space.recs.get(id)?.doc;
    const isOpen = conflict?.['state'] === 'open';
    const candidates = (isOpen ? conflict['candidates'] : {}) as Record<
      string,
      { v: Json; by: string; device: string }
    >;
    const seq = space.head + 1;
    const log = (was: string): void => {
      space.log.push({ op: { ...op, hlc }, seq, device, hlc, was });
    };
    const activate = (v: Json): void => {
      const doc = { active: { ver: op.op, v, by: account } };
      space.recs.set(op.rec, { coll: op.coll, seq, doc, clk: { active: hlc }, event: false });
    };
    if (op.k === 'resolve') {
      const seen = Object.keys(candidates).sort();
      if (
        !isOpen ||
        op.base !== (active?.ver ?? null) ||
        seen.join() !== [...op.seen].sort().join()
      )
        return { op: op.op, s: 'stale_resolve', active: active?.ver ?? null, unseen: seen };
      log('applied');
      const chosen = candidates[op.choose ?? ''];
      if (chosen !== undefined) activate(chosen.v);
      this.write(op.space, 'conflict', id, { state: 'closed' });
      return { op: op.op, s: 'applied', seq };
    }
    if (!isOpen && op.base === (active?.ver ?? null) && this.confirms) {
      log('applied');
      activate(op.v);
      return { op: op.op, s: 'applied', seq };
    }
    log('conflict');
    const made = new Date(millis(hlc)).toISOString();
    const { [op.base ?? '']: before, ...rest } = candidates;
    const goesOn = before?.device === device && before.by === account;
    const others = goesOn ? rest : candidates;
    this.write(op.space, 'conflict', id, {
      of: { coll: op.coll, rec: op.rec },
      state: 'open',
      candidates: { ...others, [op.op]: { v: op.v, by: account, device, made, base: op.base } },
    });
    return { op: op.op, s: 'conflict', seq, rec: id, why: 'base' };
  }

  #merge(space: FakeSpace, op: Op, device: string, account: string, hlc: string): Verdict {
    const rec = recOf(op);
    const known = space.recs.get(rec);
    if (known !== undefined && (known.event || op.k === 'event' || known.coll !== op.coll)) {
      return { op: op.op, s: 'invalid', code: 'rec_taken' };
    }
    const row: Rec = known ?? { coll: op.coll, seq: 0, doc: {}, clk: {}, event: op.k === 'event' };
    const groups = op.k === 'event' ? { v: op.v, by: account } : op.k === 'set' ? op.f : {};
    const won = Object.entries(groups).filter(([group]) => hlc > (row.clk[group] ?? NEVER));
    const seq = space.head + 1;
    space.log.push({ op: { ...op, hlc }, seq, device, hlc });
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

  #snap(id: string): { snap?: string } {
    return this.streams ? { snap: `/sync/v1/snapshot/${id}` } : {};
  }

  #time(): string {
    return new Date(this.now()).toISOString();
  }
}

/** What may happen to a request. */
export type Fate = 'ok' | 'lost' | 'answer_lost' | 'twice' | 'never';

type What = 'hello' | 'push' | 'pull' | 'snapshot' | 'wiped' | 'end';

/** The way to the server. `fate` decides over each request. */
export class FakeNetwork implements Network {
  readonly server: FakeServer;
  fate: (what: What) => Fate = () => 'ok';
  /** Whether a stream ends before its next line. */
  cut: () => boolean = () => false;
  /** What happens on the device while a request is under way. */
  meanwhile: (what: What) => Promise<void> = async () => undefined;

  constructor(server: FakeServer) {
    this.server = server;
  }

  hello(body: Hello): Promise<HelloAnswer> {
    return this.#carry('hello', () => this.server.hello(copy(body)));
  }

  async push(body: Push): Promise<PushAnswer> {
    await this.server.verify(copy(body));
    return this.#carry('push', () => this.server.push(copy(body)));
  }

  pull(body: Pull): Promise<PullAnswer> {
    return this.#carry('pull', () => this.server.pull(copy(body)));
  }

  async *snapshot(path: string, from: SnapshotPlace | null): AsyncGenerator {
    const lines = await this.#carry('snapshot', () => this.server.snapshot(path, from));
    for (const line of lines) {
      if (this.cut()) throw new SyncError('offline');
      yield line;
    }
  }

  async wiped(body: { device_id: string; nonce: string }): Promise<void> {
    await this.#carry('wiped', () => {
      this.server.wipes.push(body);
      return null;
    });
  }

  async end(sid: string | null): Promise<void> {
    await this.#carry('end', () => {
      this.server.ended.push(sid);
      return null;
    });
  }

  poke(listener: PokeListener): () => void {
    this.server.listeners.add(listener);
    return () => this.server.listeners.delete(listener);
  }

  async #carry<T>(what: What, answer: () => T): Promise<T> {
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

interface Turn {
  whileHeld(): Promise<void>;
  readonly robbed: () => void;
}

/** A machine of its own: its clock can be set, its timers run when `pass` lets time pass. */
export class FakeMachine implements Platform {
  time: number;
  #state: number;
  #timers: { at: number; then: () => void }[] = [];
  readonly #locks = new Map<string, { holder: Turn | null; queue: Turn[] }>();
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

  lock: Platform['lock'] = (name, whileHeld, { steal, robbed }) => {
    const lock = this.#locks.get(name) ?? { holder: null, queue: [] };
    this.#locks.set(name, lock);
    const next = (): void => {
      const turn = lock.queue.shift();
      if (turn !== undefined) take(turn);
      else lock.holder = null;
    };
    const take = (turn: Turn): void => {
      lock.holder = turn;
      const over = (): void => {
        if (lock.holder === turn) next();
      };
      void turn.whileHeld().then(over, () => {
        turn.robbed();
        over();
      });
    };
    const turn: Turn = { whileHeld, robbed };
    if (steal) {
      const before = lock.holder;
      take(turn);
      if (before !== null) setImmediate(before.robbed);
    } else if (lock.holder === null) take(turn);
    else lock.queue.push(turn);
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
