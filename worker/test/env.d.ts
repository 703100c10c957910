declare namespace Cloudflare {
  interface GlobalProps {
    mainModule: typeof import('../src/index');
  }
  interface Env extends Omit<import('../src/env').Env, 'TIDEGATE_CONFIG'> {
    TIDEGATE_CONFIG: string;
    TIDEGATE_TOKEN: string;
    TIDEGATE_MASTER_KEY: string;
    GROQ_API_KEY: string;
    OPENROUTER_API_KEY: string;
    OPENAI_API_KEY: string;
    ANTHROPIC_API_KEY: string;
    GOOGLE_API_KEY: string;
    STAND_IN: string;
    DIALECTS: string;
  }
}

declare module '*?raw' {
  const text: string;
  export default text;
}

declare function gc(): void;
