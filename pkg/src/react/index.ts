// `tidegate/react`. It imports `react`, `dompurify` and `marked` by name: the app brings them, and keeps them new.

export { SafeText, type SafeTextProps } from './safe-text.js';
export type { AddressPolicy, SafeTextPolicy } from './sanitize.js';
