/** What the signed-in person may do with a resident's space. The server decides; this only keeps screens honest. */

export type Permission =
  | 'plan.view'
  | 'plan.edit'
  | 'outcome.record'
  | 'alert.take'
  | 'meals.view'
  | 'meals.edit'
  | 'medication.view'
  | 'medication.edit'
  | 'medication.sign'
  | 'statistics.view'
  | 'care.manage';

/** Permission sets that an administrator picks by name; the first that matches exactly names a relation. */
export const PERMISSION_SETS = {
  look: ['plan.view'],
  family: ['plan.view', 'outcome.record', 'alert.take'],
  support: ['plan.view', 'plan.edit', 'outcome.record', 'alert.take', 'meals.view', 'meals.edit'],
  nurse: [
    'plan.view',
    'plan.edit',
    'outcome.record',
    'alert.take',
    'meals.view',
    'meals.edit',
    'medication.view',
    'medication.edit',
    'medication.sign',
    'statistics.view',
  ],
} as const satisfies Record<string, readonly Permission[]>;
export type PermissionSet = keyof typeof PERMISSION_SETS;

/** Permissions that do something in this release; the administrator chooses among these one by one. */
export const OFFERED: readonly Permission[] = [
  'plan.view',
  'plan.edit',
  'outcome.record',
  'alert.take',
];

export function may(permissions: readonly string[] | undefined, permission: Permission): boolean {
  return permissions?.includes(permission) ?? false;
}

/** The named set with exactly these permissions, or null when they are a choice of their own. */
export function setOf(permissions: readonly string[]): PermissionSet | null {
  const names = Object.keys(PERMISSION_SETS) as PermissionSet[];
  const same = (name: PermissionSet): boolean =>
    PERMISSION_SETS[name].length === permissions.length &&
    PERMISSION_SETS[name].every((permission) => permissions.includes(permission));
  return names.find(same) ?? null;
}
