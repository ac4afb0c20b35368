/** The stage: any screen on a replica in memory, at any moment, for building and for pictures. Not part of a build.
 *
 *  `/stage.html?screen=resident&at=2026-11-27T12:14&theme=dark&language=sv#/dagen`
 *  - `screen`: resident, supporter, admin, settings, signin, kit. `who`: a resident's or helper's first name.
 *  - `at`: wall time in Stockholm. `run=1` lets the clock run on from there.
 *  - `theme`: light, dark. `level`: 1–4. `voice=0`: no voice to read aloud. `offline=1`. `signedout=1`.
 *  - `scene`: a change to the day, see home.ts.
 */
import '../ui/base.css';

const ask = new URLSearchParams(location.search);
const at = ask.get('at') ?? '2026-11-27T12:14';

/** Every clock of the page shows the wanted moment; set before anything looks. */
function setTime(): void {
  const moment = Date.parse(`${at}:00${offsetInStockholm(at)}`);
  const started = performance.now();
  Date.now = () => moment + (ask.has('run') ? performance.now() - started : 0);
  const RealDate = Date;
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args: unknown[]): Date =>
      args.length === 0 ? new target(RealDate.now()) : (Reflect.construct(target, args) as Date),
  });
}

function offsetInStockholm(wall: string): string {
  const summer = wall.slice(5) > '03-29T02:00' && wall.slice(5) < '10-25T03:00';
  return summer ? '+02:00' : '+01:00';
}

/** A machine that takes pictures has no voices. */
function giveVoice(): void {
  const voice = { localService: true, lang: ask.get('language') ?? 'sv', name: 'Scen' };
  Object.defineProperty(globalThis, 'speechSynthesis', {
    value: {
      getVoices: () => [voice],
      addEventListener: () => undefined,
      cancel: () => undefined,
      speak: () => undefined,
    },
  });
}

/** Nothing of an earlier visit to the stage counts. */
function forget(): void {
  localStorage.clear();
  const seen = ask.has('welcome') ? [] : [`welcome.${ask.get('who') ?? 'elsa'}`];
  localStorage.setItem('mos.welcomed', JSON.stringify(seen));
  if (!ask.has('welcome')) localStorage.setItem('mos.guide.supporter', 'done');
  localStorage.setItem('mos.theme', ask.get('theme') ?? 'light');
  localStorage.setItem('mos.language', ask.get('language') ?? 'sv');
}

async function show(): Promise<void> {
  const [{ mount, tick }, { mos }, { setLanguage, LANGUAGES }, { loadScreen }, home, sound] =
    await Promise.all([
      import('svelte'),
      import('../app/mos.svelte'),
      import('../app/i18n.svelte'),
      import('../app/screens'),
      import('./home'),
      import('../app/sound.svelte'),
    ]);
  const screen = (ask.get('screen') ?? 'resident') as Parameters<typeof loadScreen>[0];
  const { replica, session } = await home.aHome({
    now: Date.now(),
    screen,
    who: ask.get('who'),
    scene: ask.get('scene'),
    level: Number(ask.get('level') ?? 4),
    offline: ask.has('offline'),
  });
  mos.open(replica);
  mos.session = session;
  mos.signedOut = ask.has('signedout');
  if (!ask.has('silent')) sound.sound.locked = false;
  const language = LANGUAGES.find((each) => each === ask.get('language')) ?? 'sv';
  await setLanguage(language);
  const Screen = await loadScreen(screen);
  const target = document.getElementById('app');
  if (target === null) return;
  const { default: Stage } = await import('./Stage.svelte');
  mount(Stage, { target, props: { Screen } });
  await tick();
  await document.fonts.ready;
  document.documentElement.dataset['ready'] = '';
}

setTime();
forget();
if (ask.get('voice') !== '0') giveVoice();
await show();
