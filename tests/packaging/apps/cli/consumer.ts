import tidegate, { type TidegateViteOptions } from 'tidegate/vite';
import { defineConfig } from 'vite';

const options: TidegateViteOptions = { warn: true, failOn: 'ambiguous' };
export default defineConfig({ plugins: [tidegate(options)] });

// @ts-expect-error there is no such class
export const never: TidegateViteOptions = { failOn: 'publishable' };
