import { useId, type ReactNode, type Ref } from 'react';

interface Props {
  title: string;
  aside?: ReactNode;
  testId?: string;
  className?: string;
  headingRef?: Ref<HTMLHeadingElement>;
  children: ReactNode;
}

/** A part of the page with a heading of its own, and a landmark by it. */
export function Panel({ title, aside, testId, className = '', headingRef, children }: Props) {
  const id = useId();
  return (
    <section className={`panel ${className}`} aria-labelledby={id} data-testid={testId}>
      <div className="panel-head">
        <h2 id={id} ref={headingRef} tabIndex={headingRef ? -1 : undefined}>
          {title}
        </h2>
        {aside}
      </div>
      {children}
    </section>
  );
}
