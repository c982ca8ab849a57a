/** The pages: signed in or not, then whichever the address names. */
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Broken } from './after-fault.tsx';
import { App } from './app.tsx';
import './styles/colours.css';
import './styles/frame.css';
import './styles/notices.css';
import './styles/controls.css';
import './styles/tables.css';
import './styles/facts.css';
import './styles/charts.css';

const root = document.getElementById('app');
if (root === null) throw new Error('the page has no place for itself');
const pages = createRoot(root, {
  onUncaughtError: (error) => {
    reportError(error);
    // Once all of it is gone.
    setTimeout(() => pages.render(<Broken error={error} />), 0);
  },
});
pages.render(
  <StrictMode>
    <App />
  </StrictMode>,
);
