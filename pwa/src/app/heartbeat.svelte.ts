/** "This device lives, and this is how it is": every five minutes, and soon after something of it changes. Of several tabs the
 *  one that can ring says so, for the device. */
import { kiosk } from '../kiosk/kiosk.svelte';
import { api } from './api';
import { mos } from './mos.svelte';
import { permission } from './push';
import { sound } from './sound.svelte';
import { Speaker } from './speaker';

interface Battery extends EventTarget {
  readonly level: number;
  readonly charging: boolean;
}

const BEAT_MS = 5 * 60_000;
/** What comes at once is told at once: a start changes many things. */
const SOON_MS = 1_500;
/** Percent: a battery is told of again when it has passed one more. */
const BATTERY_STEP = 10;

function heard(): 'on' | 'locked' | 'none' {
  const space =
    mos.session?.account.role === 'resident' ? mos.session.residents[0]?.space : undefined;
  const chosen = space === undefined ? null : mos.replica.rows(space, 'profile')[0]?.doc['sound'];
  if (chosen === 'none') return 'none';
  return sound.locked ? 'locked' : 'on';
}

async function sayAlive(): Promise<void> {
  const power = await battery();
  // Without https there is none.
  const { storage } = navigator as { storage?: StorageManager };
  const room = await storage?.estimate().catch(() => null);
  const free = (room?.quota ?? NaN) - (room?.usage ?? 0);
  await api.post('device/heartbeat', {
    permission: permission(),
    sound: heard(),
    kiosk: kiosk.on,
    battery: power === null ? null : Math.round(power.level * 100),
    charging: power?.charging ?? null,
    storage: Number.isFinite(free) ? Math.floor(Math.max(free, 0) / 1_000_000) : null,
    persisted: (await storage?.persisted().catch(() => null)) ?? null,
    version: __MOS_VERSION__,
  });
}

/** From now on, whoever is signed in here. */
export function beat(): void {
  const say = async (): Promise<void> => {
    if (mos.session !== null && !mos.signedOut && (await speaker.speaks())) await sayAlive();
  };
  let timer: ReturnType<typeof setTimeout> | undefined;
  const soon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => void say().catch(() => undefined), SOON_MS);
  };
  const speaker = new Speaker(() => {
    if (speaker.holds) sound.elsewhere = false;
    soon();
  });
  setInterval(() => void say().catch(() => undefined), BEAT_MS);
  $effect.root(() => {
    // By value: whatever else changes in the resident's records is no news of the device.
    const state = $derived(`${mos.session?.account.id ?? ''} ${heard()} ${String(kiosk.on)}`);
    $effect(() => {
      void state;
      soon();
    });
    // What is wanted silent is silent in every tab.
    $effect(() => {
      const can = mos.session !== null && (kiosk.on || !sound.locked);
      speaker.rings(can);
      sound.elsewhere = can && !speaker.holds;
    });
  });
  addEventListener('online', soon);
  void battery().then((power) => {
    let step = stepOf(power);
    power?.addEventListener('chargingchange', soon);
    power?.addEventListener('levelchange', () => {
      if (stepOf(power) === step) return;
      step = stepOf(power);
      soon();
    });
  });
  void navigator.permissions
    .query({ name: 'notifications' })
    .then((state) => state.addEventListener('change', soon))
    .catch(() => undefined);
}

function stepOf(power: Battery | null): number {
  return Math.floor(((power?.level ?? 1) * 100) / BATTERY_STEP);
}

/** Only Chromium tells. */
async function battery(): Promise<Battery | null> {
  const known = navigator as { getBattery?: () => Promise<Battery> };
  return (await known.getBattery?.().catch(() => null)) ?? null;
}
