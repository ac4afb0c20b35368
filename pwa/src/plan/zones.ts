/** Time zones to choose from. Pure but for the list, which is the browser's. */

/** Where the people who read Swedish or Finnish live come before the rest of the world. */
const NEAR = ['Europe/Stockholm', 'Europe/Helsinki', 'Europe/Oslo', 'Europe/Copenhagen'];

/** Every zone once, `first` on top: by its city, as people look for it. */
export function zoneChoices(...first: string[]): { value: string; label: string }[] {
  const others = Intl.supportedValuesOf('timeZone').sort((a, b) =>
    cityOf(a).localeCompare(cityOf(b)),
  );
  return [...new Set([...first, ...NEAR, ...others])].map((value) => ({
    value,
    label: zoneName(value),
  }));
}

/** `Stockholm (Europe)`, `Salta (America, Argentina)`, `UTC`. */
export function zoneName(zone: string): string {
  const region = zone.split('/').slice(0, -1).join(', ').replaceAll('_', ' ');
  return region === '' ? cityOf(zone) : `${cityOf(zone)} (${region})`;
}

function cityOf(zone: string): string {
  return (zone.split('/').at(-1) ?? zone).replaceAll('_', ' ');
}
