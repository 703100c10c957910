import { BudgetPanel } from './components/BudgetPanel';
import { CachePanel } from './components/CachePanel';
import { FaultsPanel } from './components/FaultsPanel';
import { Footer } from './components/Footer';
import { Header } from './components/Header';
import { KeyScanPanel } from './components/KeyScanPanel';
import { Playground } from './components/Playground';
import { ProblemNotice } from './components/ProblemNotice';
import { TargetsPanel } from './components/TargetsPanel';
import { TracePanel } from './components/TracePanel';
import { VaultPanel } from './components/VaultPanel';
import { useGate } from './useGate';

export function App() {
  const opening = useGate();
  if (opening.state !== 'open') {
    return (
      <>
        <Header />
        <main className="page page-alone">
          {opening.state === 'failed' ? (
            <ProblemNotice problem={opening.problem}>
              <button type="button" className="small" onClick={() => location.reload()}>
                Reload the page
              </button>
            </ProblemNotice>
          ) : (
            <p role="status">Opening the gateway …</p>
          )}
        </main>
      </>
    );
  }
  const { gate, demo, status, traces, refresh, reopen } = opening.open;
  return (
    <>
      <Header status={status} demo={demo} />
      <main className="page">
        <VaultPanel gate={gate} status={status} demo={demo} refresh={refresh} reopen={reopen} />
        <div className="columns">
          <div className="column">
            <Playground gate={gate} status={status} refresh={refresh} />
            <TracePanel traces={traces} />
          </div>
          <div className="column">
            <BudgetPanel budget={status.budget} />
            <TargetsPanel targets={status.targets} vault={status.vault} />
            {demo && <FaultsPanel demo={demo} />}
            <CachePanel gate={gate} cache={status.cache} refresh={refresh} />
          </div>
        </div>
        <KeyScanPanel />
      </main>
      <Footer status={status} demo={demo} />
    </>
  );
}
