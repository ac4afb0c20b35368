/** What a device is called until somebody names it. Pure. */

const BROWSERS: readonly (readonly [sign: string, name: string])[] = [
  ['Edg', 'Edge'],
  ['OPR', 'Opera'],
  ['SamsungBrowser', 'Samsung Internet'],
  ['Firefox', 'Firefox'],
  ['FxiOS', 'Firefox'],
  ['CriOS', 'Chrome'],
  ['Chrome', 'Chrome'],
  ['Safari', 'Safari'],
];
/** Android says that it is Linux, too: the more exact comes first. */
const SIGNS = ['iPad', 'iPhone', 'Android', 'Windows', 'CrOS', 'Macintosh', 'Linux'];
const MACHINES: Readonly<Record<string, string>> = { CrOS: 'Chromebook', Macintosh: 'Mac' };

/** `iPad · Safari`, `Windows · Edge`; empty when the browser says nothing that people would know. */
export function guessName(agent: string, touches: number): string {
  const sign = SIGNS.find((each) => agent.includes(each)) ?? '';
  // iPads say they are a Macintosh; no Macintosh has a touch screen.
  const machine = sign === 'Macintosh' && touches > 1 ? 'iPad' : (MACHINES[sign] ?? sign);
  const browser = BROWSERS.find(([sign]) => agent.includes(sign))?.[1] ?? '';
  return [machine, browser].filter(Boolean).join(' · ');
}
