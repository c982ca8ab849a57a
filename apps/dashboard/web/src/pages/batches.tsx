/** Batches */
export default function BatchesPage() {
  return <h1>Batches</h1>;
}
