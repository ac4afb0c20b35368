/** The app's version, from package.json. */
declare const __MOS_VERSION__: string;
