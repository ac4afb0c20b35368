/** The pictures of the plan: a name that a reminder keeps, and the OpenMoji picture it stands for.
 *
 *  Names are kept for ever: reminders in people's plans hold them. Words to search by are in the catalogues, `kit.symbol.<name>`.
 *  Pictures: OpenMoji, CC BY-SA 4.0. The build copies exactly these files (scripts/symbols.ts).
 */

const THINGS = {
  porridge: '1F963',
  bread: '1F35E',
  sandwich: '1F96A',
  croissant: '1F950',
  pancakes: '1F95E',
  waffle: '1F9C7',
  egg: '1F95A',
  'fried-egg': '1F373',
  cheese: '1F9C0',
  butter: '1F9C8',
  fish: '1F41F',
  chicken: '1F357',
  meat: '1F969',
  meatballs: '1F9C6',
  sausage: '1F32D',
  hamburger: '1F354',
  pizza: '1F355',
  taco: '1F32E',
  soup: '1F372',
  casserole: '1F958',
  stew: '1F35B',
  pasta: '1F35D',
  rice: '1F35A',
  noodles: '1F35C',
  sushi: '1F363',
  salad: '1F957',
  potato: '1F954',
  fries: '1F35F',
  carrot: '1F955',
  broccoli: '1F966',
  tomato: '1F345',
  cucumber: '1F952',
  peas: '1FADB',
  corn: '1F33D',
  mushroom: '1F344',
  apple: '1F34E',
  pear: '1F350',
  banana: '1F34C',
  orange: '1F34A',
  grapes: '1F347',
  strawberry: '1F353',
  blueberries: '1FAD0',
  nuts: '1F95C',
  cake: '1F370',
  'birthday-cake': '1F382',
  bun: '1F9C1',
  cookie: '1F36A',
  'ice-cream': '1F368',
  chocolate: '1F36B',
  yoghurt: '1F95B',
  water: 'E0CB',
  glass: '1F964',
  juice: '1F9C3',
  coffee: '2615',
  tea: '1FAD6',
  plate: '1F37D',
  cutlery: '1F374',
  pill: '1F48A',
  pills: 'E305',
  'medicine-bottle': 'E307',
  syringe: '1F489',
  drop: '1F4A7',
  plaster: '1FA79',
  lotion: '1F9F4',
  blood: '1FA78',
  thermometer: 'E324',
  scales: 'E32B',
  stethoscope: '1FA7A',
  tooth: '1F9B7',
  'hearing-aid': '1F9BB',
  glasses: '1F453',
  compression: '1F9E6',
  wheelchair: '1F9BD',
  'hot-water-bottle': 'E30F',
  nurse: 'E302',
  doctor: 'E301',
  bed: '1F6CF',
  sleeping: '1F6CC',
  moon: '1F319',
  sofa: '1F6CB',
  armchair: 'E141',
  'alarm-clock': '23F0',
  sunrise: '1F305',
  bedding: 'E31A',
  shower: '1F6BF',
  bathtub: '1F6C1',
  toothbrush: '1FAA5',
  toilet: '1F6BD',
  soap: '1F9FC',
  'wash-hands': 'E0B2',
  razor: '1FA92',
  comb: '1FAAE',
  haircut: '1F487',
  clothes: '1F455',
  trousers: '1F456',
  mirror: '1FA9E',
  walk: '1F6B6',
  'wheelchair-walk': '1F9D1-200D-1F9BD',
  gym: '1F3CB',
  yoga: '1F9D8',
  swim: '1F3CA',
  cycling: '1F6B4',
  running: '1F3C3',
  dance: '1F483',
  ball: '26BD',
  bowling: '1F3B3',
  skis: '1F3BF',
  dog: '1F436',
  cat: '1F431',
  puzzle: '1F9E9',
  radio: '1F4FB',
  tv: '1F4FA',
  music: '1F3B5',
  guitar: '1F3B8',
  piano: '1F3B9',
  singing: '1F3A4',
  book: '1F4D6',
  newspaper: '1F4F0',
  painting: '1F3A8',
  knitting: '1F9F6',
  sewing: '1F9F5',
  cards: '1F0CF',
  dice: '1F3B2',
  'video-game': '1F3AE',
  garden: '1F33B',
  watering: '1FAB4',
  fishing: '1F3A3',
  camera: '1F4F7',
  carpentry: '1F528',
  cinema: '1F39F',
  church: '26EA',
  work: '1F4BC',
  school: '1F392',
  computer: '1F4BB',
  writing: '1F4DD',
  phone: '260E',
  mobile: '1F4F1',
  visit: '1F91D',
  hug: '1FAC2',
  people: '1F465',
  family: '1F46A',
  calendar: '1F4C5',
  hospital: '1F3E5',
  home: '1F3E0',
  bus: '1F68C',
  taxi: '1F695',
  car: '1F697',
  train: '1F686',
  bank: '1F4B3',
  present: '1F381',
  party: '1F388',
  cleaning: '1F9F9',
  mop: '1FAA3',
  dishes: '1F9FD',
  laundry: 'E1CF',
  'laundry-basket': '1F9FA',
  rubbish: '1F5D1',
  shopping: '1F6D2',
  'shopping-bags': '1F6CD',
  mail: '2709',
  key: '1F511',
  door: '1F6AA',
  charging: 'E096',
  light: '1F4A1',
  candle: '1F56F',
  star: '2B50',
  heart: '2764',
  bell: '1F514',
  talk: '1F5E3',
} as const;

/** Drawn for MOS, in the manner of the others: src/ui/drawings/. */
const DRAWINGS = { tablet: '', 'water-glass': '' } as const;

/** People: hair and skin of many kinds, no feelings. */
const FACES = {
  'face-older-woman': '1F475-1F3FB',
  'face-older-woman-medium': '1F475-1F3FD',
  'face-older-woman-dark': '1F475-1F3FF',
  'face-older-man': '1F474-1F3FB',
  'face-older-man-medium': '1F474-1F3FD',
  'face-older-man-dark': '1F474-1F3FF',
  'face-older-person': '1F9D3-1F3FC',
  'face-woman': '1F469-1F3FB',
  'face-woman-medium': '1F469-1F3FD',
  'face-woman-dark': '1F469-1F3FF',
  'face-woman-blond': '1F471-1F3FB-200D-2640-FE0F',
  'face-woman-red': '1F469-1F3FB-200D-1F9B0',
  'face-woman-curly': '1F469-1F3FD-200D-1F9B1',
  'face-woman-curly-dark': '1F469-1F3FE-200D-1F9B1',
  'face-woman-white': '1F469-1F3FC-200D-1F9B3',
  'face-woman-headscarf': '1F9D5-1F3FD',
  'face-woman-headscarf-light': '1F9D5-1F3FB',
  'face-man': '1F468-1F3FB',
  'face-man-medium': '1F468-1F3FD',
  'face-man-dark': '1F468-1F3FF',
  'face-man-blond': '1F471-1F3FB-200D-2642-FE0F',
  'face-man-red': '1F468-1F3FB-200D-1F9B0',
  'face-man-curly': '1F468-1F3FC-200D-1F9B1',
  'face-man-curly-dark': '1F468-1F3FE-200D-1F9B1',
  'face-man-white': '1F468-1F3FC-200D-1F9B3',
  'face-man-bald': '1F468-1F3FB-200D-1F9B2',
  'face-man-bald-dark': '1F468-1F3FE-200D-1F9B2',
  'face-man-beard': '1F9D4-1F3FB-200D-2642-FE0F',
  'face-man-beard-dark': '1F9D4-1F3FE-200D-2642-FE0F',
  'face-person': '1F9D1-1F3FB',
  'face-person-medium': '1F9D1-1F3FD',
  'face-person-dark': '1F9D1-1F3FF',
} as const;

/** What a category or a template starts with, before anybody chose a picture of their own. Not offered in lists. */
const GENERAL = {
  meal: '1F37D',
  breakfast: '1F963',
  lunch: '1F37D',
  dinner: '1F372',
  supper: '1F96A',
  snack: '1F34E',
  medication: '1F48A',
  movement: '1F6B6',
  activity: '1F9E9',
  rest: '1F6CB',
  calm: 'E141',
  break: '2615',
  sleep: '1F6CC',
  wake: '23F0',
  meeting: '1F91D',
  hygiene: '1F9FC',
  wash: '1F9FC',
} as const;

/** Stands for a picture this release does not know: says "something", never something else. */
export const NEUTRAL = { neutral: '1F4CC' } as const;

/** One ingredient on a composed plate: centre and size in per cent of the dish, turn in degrees. */
export interface Piece {
  symbol: string;
  x: number;
  y: number;
  size: number;
  turn?: number;
}

/** Dishes put together from two to four pictures. `main` stands for all where only one has room. */
export const PLATES = {
  'plate-fish': {
    main: 'fish',
    pieces: [
      { symbol: 'potato', x: 30, y: 44, size: 50, turn: 20 },
      { symbol: 'fish', x: 63, y: 32, size: 69, turn: 10 },
      { symbol: 'potato', x: 38, y: 69, size: 46, turn: 75 },
      { symbol: 'broccoli', x: 70, y: 68, size: 47, turn: 12 },
    ],
  },
  'plate-meatballs': {
    main: 'meatballs',
    pieces: [
      { symbol: 'potato', x: 33, y: 35, size: 48, turn: -20 },
      { symbol: 'meatballs', x: 62, y: 45, size: 62 },
      { symbol: 'cucumber', x: 37, y: 71, size: 46, turn: 15 },
    ],
  },
  'plate-chicken': {
    main: 'chicken',
    pieces: [
      { symbol: 'rice', x: 34, y: 62, size: 54 },
      { symbol: 'tomato', x: 66, y: 72, size: 36 },
      { symbol: 'chicken', x: 58, y: 38, size: 60 },
    ],
  },
  'plate-sausage': {
    main: 'sausage',
    pieces: [
      { symbol: 'potato', x: 34, y: 34, size: 48 },
      { symbol: 'carrot', x: 70, y: 62, size: 48, turn: 10 },
      { symbol: 'sausage', x: 44, y: 62, size: 58 },
    ],
  },
  'plate-pasta': {
    main: 'pasta',
    pieces: [
      { symbol: 'pasta', x: 47, y: 53, size: 72 },
      { symbol: 'tomato', x: 73, y: 28, size: 34 },
    ],
  },
  'plate-soup': {
    main: 'soup',
    pieces: [
      { symbol: 'soup', x: 45, y: 48, size: 68 },
      { symbol: 'bread', x: 70, y: 70, size: 44, turn: 12 },
    ],
  },
  'plate-pancakes': {
    main: 'pancakes',
    pieces: [
      { symbol: 'pancakes', x: 46, y: 54, size: 68 },
      { symbol: 'blueberries', x: 73, y: 31, size: 38 },
    ],
  },
  'plate-salad': {
    main: 'salad',
    pieces: [
      { symbol: 'salad', x: 46, y: 45, size: 66 },
      { symbol: 'bread', x: 70, y: 71, size: 42, turn: 10 },
    ],
  },
  'plate-breakfast': {
    main: 'porridge',
    pieces: [
      { symbol: 'porridge', x: 42, y: 42, size: 62 },
      { symbol: 'blueberries', x: 70, y: 66, size: 42 },
      { symbol: 'coffee', x: 34, y: 74, size: 38 },
    ],
  },
  'plate-sandwich': {
    main: 'sandwich',
    pieces: [
      { symbol: 'sandwich', x: 42, y: 46, size: 60 },
      { symbol: 'yoghurt', x: 72, y: 60, size: 48 },
    ],
  },
  'plate-fruit': {
    main: 'apple',
    pieces: [
      { symbol: 'banana', x: 36, y: 42, size: 54, turn: -10 },
      { symbol: 'apple', x: 64, y: 43, size: 46 },
      { symbol: 'grapes', x: 49, y: 71, size: 44 },
    ],
  },
  'tablet-and-water': {
    main: 'tablet',
    pieces: [
      { symbol: 'tablet', x: 34, y: 56, size: 44 },
      { symbol: 'water-glass', x: 67, y: 48, size: 52 },
    ],
  },
  'plate-coffee': {
    main: 'coffee',
    pieces: [
      { symbol: 'coffee', x: 41, y: 42, size: 58 },
      { symbol: 'bun', x: 66, y: 67, size: 48 },
    ],
  },
} as const satisfies Record<
  string,
  { main: keyof typeof THINGS | keyof typeof DRAWINGS; pieces: readonly Piece[] }
>;

export const SYMBOLS = {
  ...THINGS,
  ...DRAWINGS,
  ...FACES,
  ...GENERAL,
  ...NEUTRAL,
} as const satisfies Record<string, string>;
export type SymbolName = keyof typeof SYMBOLS;

/** What can be chosen for a reminder; composed plates after single things. */
export const SYMBOL_NAMES = [THINGS, DRAWINGS, PLATES].flatMap(Object.keys) as (
  keyof typeof THINGS | keyof typeof DRAWINGS | keyof typeof PLATES
)[];
export const FACE_NAMES = Object.keys(FACES) as (keyof typeof FACES)[];

export function isSymbol(name: string): name is SymbolName {
  return Object.hasOwn(SYMBOLS, name);
}

export function isFace(name: string): boolean {
  return Object.hasOwn(FACES, name);
}

function isPlate(name: string): name is keyof typeof PLATES {
  return Object.hasOwn(PLATES, name);
}

/** What lies on a composed plate; empty for a single picture. */
export function piecesOf(name: string): readonly Piece[] {
  return isPlate(name) ? PLATES[name].pieces : [];
}

/** Where the picture is. `line` is the one-colour drawing that the night view tints. */
export function symbolUrl(name: string, kind: 'colour' | 'line' = 'colour'): string {
  const one = isPlate(name) ? PLATES[name].main : name;
  const folder = kind === 'line' ? 'symbols/line' : 'symbols';
  return `/${folder}/${isSymbol(one) ? one : 'neutral'}.svg`;
}
