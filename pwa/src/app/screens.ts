/** Which screen answers a path, and what has to be loaded for it. Screens are fetched when first shown. */
import type { Component } from 'svelte';

import { needAreas, type Area } from './i18n.svelte';
import { seesDays, type Role, type Session } from './session';

export type Screen = 'signin' | 'resident' | 'supporter' | 'admin' | 'settings' | 'kit';

const files = import.meta.glob<Component>(
  '../{signin,resident,supporter,admin,settings,kit}/{SignIn,Resident,Supporter,Admin,Settings,Kit}App.svelte',
  { import: 'default' },
);

const SCREENS: Record<Screen, { file: string; areas: Area[] }> = {
  signin: { file: '../signin/SignInApp.svelte', areas: ['common', 'signin', 'trouble'] },
  resident: { file: '../resident/ResidentApp.svelte', areas: ['common', 'resident'] },
  supporter: {
    file: '../supporter/SupporterApp.svelte',
    areas: ['common', 'supporter', 'sounds', 'trouble'],
  },
  admin: { file: '../admin/AdminApp.svelte', areas: ['common', 'admin', 'trouble'] },
  settings: {
    file: '../settings/SettingsApp.svelte',
    areas: ['common', 'settings', 'sounds', 'trouble'],
  },
  kit: {
    file: '../kit/KitApp.svelte',
    areas: ['common', 'resident', 'supporter', 'sounds', 'kit'],
  },
};

/** First words of a path that belong to one screen, whoever is signed in. All others belong to the role's home. */
const DOORS: Readonly<Record<string, Screen>> = {
  admin: 'admin',
  installningar: 'settings',
  inbjudan: 'signin',
  'logga-in': 'signin',
  borja: 'signin',
  kit: 'kit',
};

const HOMES: Record<Role, Screen> = {
  resident: 'resident',
  relative: 'supporter',
  caregiver: 'supporter',
  nurse: 'supporter',
  manager: 'supporter',
  admin: 'admin',
  auditor: 'admin',
};

export function screenOf(path: readonly string[], session: Session | null): Screen {
  const door = DOORS[path[0] ?? ''];
  if (door === 'kit' || door === 'signin') return door;
  if (session === null) return 'signin';
  if (door !== undefined) return door;
  const home = HOMES[session.account.role];
  // Who manages and sees nobody's day belongs where there is something to do: an overview would look as if all were
  // well. A longer path names somebody, and there it is said that the day is not to be seen.
  const blind = home === 'supporter' && path.length < 2 && session.manages && !seesDays(session);
  return blind ? 'admin' : home;
}

const loaded = new Map<Screen, Promise<Component>>();

/** The screen's component, its texts ready. Fails when the file cannot be fetched; a new call tries again. */
export function loadScreen(screen: Screen): Promise<Component> {
  const before = loaded.get(screen);
  if (before !== undefined) return before;
  const { file, areas } = SCREENS[screen];
  const load = files[file] ?? (() => Promise.reject(new Error(`There is no ${file}`)));
  const made = Promise.all([load(), needAreas(...areas)]).then(([component]) => component);
  loaded.set(screen, made);
  made.catch(() => loaded.delete(screen));
  return made;
}
