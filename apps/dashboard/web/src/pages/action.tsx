/** A bulk action */
export default function ActionPage() {
  return <h1>A bulk action</h1>;
}
