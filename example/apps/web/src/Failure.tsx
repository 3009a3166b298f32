import { Component, type ReactNode } from "react";

/** Show the error of anything inside in its place; React reports it on the console as well. */
export class Failure extends Component<{ children: ReactNode }, { error?: Error }> {
  override state: { error?: Error } = {};

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <main className="failure">
        <div role="alert">
          <h2>This page cannot go on</h2>
          <pre>{error.message}</pre>
        </div>
        <button type="button" onClick={() => location.reload()}>
          Reload
        </button>
      </main>
    );
  }
}
