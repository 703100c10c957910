import { useCallback, useEffect, useReducer, useRef, useState } from 'react';
import { Tidegate, type Events, type Status } from 'tidegate';

import { findDemo, type Demo } from './demo';
import { problemOf, type Problem } from './problem';
import { configOf } from './settings';
import { record, type GateEvent, type Trace } from './trace';

const NAMES: (keyof Events)[] = [
  'attempt-start',
  'first-output',
  'attempt-end',
  'wait',
  'circuit-open',
  'circuit-half-open',
  'circuit-closed',
  'budget-threshold',
  'budget-overshoot',
  'request-end',
  'vault-lock',
];

// Other tabs share the ledger, and their spending raises no event here.
const REFRESH_MS = 1_000;

export interface OpenGate {
  gate: Tidegate;
  demo: Demo | null;
  status: Status;
  traces: Trace[];
  /** Reads the status again, after something that raises no event. */
  refresh: () => void;
  /** Closes the gate and opens it anew, with what the settings say now. */
  reopen: () => void;
}

type Opening = { state: 'opening' } | { state: 'failed'; problem: Problem } | { state: 'open'; open: OpenGate };

/** Opens the gate once and follows its status and its events. The gate lives as long as the page. */
export function useGate(): Opening {
  const [gate, setGate] = useState<{ gate: Tidegate; demo: Demo | null }>();
  const [problem, setProblem] = useState<Problem>();
  const [status, setStatus] = useState<Status>();
  /** Gates that were closed: what they still answer is not shown. */
  const left = useRef(new WeakSet<Tidegate>());
  const [turn, setTurn] = useState(0);
  const [traces, dispatch] = useReducer(record, []);

  useEffect(() => {
    let wanted = true;
    const open = async () => {
      const demo = await findDemo();
      const opened = await Tidegate.open(configOf(new URLSearchParams(location.search), demo));
      if (wanted) setGate({ gate: opened, demo });
    };
    open().catch((error: unknown) => {
      if (wanted) setProblem(problemOf(error));
    });
    return () => {
      wanted = false;
    };
  }, [turn]);

  const reopen = useCallback(() => {
    if (!gate) return;
    left.current.add(gate.gate);
    setGate(undefined);
    setStatus(undefined);
    void gate.gate.close().finally(() => setTurn((last) => last + 1));
  }, [gate]);

  const refresh = useCallback(() => {
    gate?.gate.status().then(
      (found) => {
        if (left.current.has(gate.gate)) return;
        setStatus(found);
        // What failed once, such as a worker that is started anew, is here again.
        setProblem(undefined);
      },
      (error: unknown) => !left.current.has(gate.gate) && setProblem(problemOf(error)),
    );
  }, [gate]);

  useEffect(() => {
    if (!gate) return undefined;
    const follow = <K extends keyof Events>(name: K) =>
      gate.gate.on(name, (event) => {
        dispatch({ name, event } as GateEvent);
        refresh();
      });
    const offs = NAMES.map((name) => follow(name));
    refresh();
    const timer = setInterval(refresh, REFRESH_MS);
    return () => {
      clearInterval(timer);
      offs.forEach((off) => off());
    };
  }, [gate, refresh]);

  if (problem) return { state: 'failed', problem };
  if (!gate || !status) return { state: 'opening' };
  return { state: 'open', open: { ...gate, status, traces, refresh, reopen } };
}
