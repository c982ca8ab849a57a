/** A cohort of failures */
export default function CohortPage() {
  return <h1>A cohort of failures</h1>;
}
