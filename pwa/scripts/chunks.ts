/** Which chunk a module goes into. What every home needs lies in one, what only the resident's first screen needs in a
 *  second: fewer seams between files, and more text packed together, save a tenth of the first screen. What several
 *  staff screens share lies in a third: the first screen names every file that a home may come to need. */
import type { ModuleInfo } from 'rolldown';

interface Graph {
  getModuleInfo(id: string): ModuleInfo | null;
}

const ENTRY = '/src/main.ts';
const RESIDENT = '/src/resident/ResidentApp.svelte';
const SUPPORTER = '/src/supporter/SupporterApp.svelte';
const SIGNIN = '/src/signin/SignInApp.svelte';
const STAFF = [SUPPORTER, '/src/admin/AdminApp.svelte', '/src/settings/SettingsApp.svelte'];

/** Rolldown's groups. A group also takes what its modules import, so the ground is laid first. */
export function chunks(
  root: string,
): { name(id: string, graph: Graph): string | null; priority: number }[] {
  const inGround = (id: string, graph: Graph): boolean =>
    needs(graph, root + ENTRY).has(id) ||
    (needs(graph, root + RESIDENT).has(id) && needs(graph, root + SUPPORTER).has(id));
  /** Of what residents may come to, nothing: they would wait for all of it. */
  const inStaff = (id: string, graph: Graph): boolean =>
    STAFF.filter((app) => mayNeed(graph, root + app).has(id)).length > 1 &&
    STAFF.some((app) => needs(graph, root + app).has(id)) &&
    !mayNeed(graph, root + RESIDENT).has(id) &&
    !needs(graph, root + SIGNIN).has(id);
  return [
    { name: (id, graph) => (inGround(id, graph) ? 'ground' : null), priority: 2 },
    {
      name: (id, graph) => (needs(graph, root + RESIDENT).has(id) ? 'first-screen' : null),
      priority: 1,
    },
    { name: (id, graph) => (inStaff(id, graph) ? 'staff' : null), priority: 0 },
  ];
}

const known = new WeakMap<Graph, Map<string, ReadonlySet<string>>>();

/** All modules that `start` imports before it runs. */
function needs(graph: Graph, start: string): ReadonlySet<string> {
  return reached(graph, start, false);
}

/** All modules that `start` imports, before it runs or ever after. */
function mayNeed(graph: Graph, start: string): ReadonlySet<string> {
  return reached(graph, start, true);
}

function reached(graph: Graph, start: string, later: boolean): ReadonlySet<string> {
  const sets = known.get(graph) ?? new Map<string, ReadonlySet<string>>();
  known.set(graph, sets);
  const name = later ? `${start} later` : start;
  const before = sets.get(name);
  if (before !== undefined) return before;
  const found = new Set<string>();
  const left = [start];
  for (let id = left.pop(); id !== undefined; id = left.pop()) {
    const info = graph.getModuleInfo(id);
    if (info === null || found.has(id)) continue;
    found.add(id);
    left.push(...info.importedIds, ...(later ? info.dynamicallyImportedIds : []));
  }
  sets.set(name, found);
  return found;
}
