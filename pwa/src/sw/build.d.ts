/** What the build knows: scripts/service-worker.ts puts it in. */
declare const __KEPT__: readonly { readonly url: string; readonly integrity: string }[];
/** Differs whenever a kept file does. */
declare const __BUILD__: string;
declare const __MOS_VERSION__: string;
