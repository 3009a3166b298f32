"""A frontend that a workflow publishes, and a backend that nothing deploys."""

from __future__ import annotations

from collections.abc import Iterator

from ci.audit import queries
from ci.audit.model import Finding, Reached, Repository
from ci.audit.rule import Rule

RULE = Rule(
    id="backend-not-deployed",
    severity="error",
    title="CI publishes the frontend, and nobody deploys the backend",
    happens="""The frontend goes live with every release. The backend's functions go live when somebody remembers to run
`convex deploy`. The day a page calls a function that was merged with it, users see `Could not find function`, on a
site whose pipeline is green.""",
    fix="""Deploy the backend in the same workflow, in a job that the frontend's job `needs`.""",
    bad="""# .github/workflows/ci.yml
jobs:
  deploy:
    steps:
      - run: bun run build
      - run: bunx wrangler pages deploy dist --project-name=app --branch=main""",
    good="""# .github/workflows/ci.yml
jobs:
  deploy-convex:
    steps:
      - run: bunx convex deploy --yes
        env:
          CONVEX_DEPLOY_KEY: ${{ secrets.CONVEX_DEPLOY_KEY }}
  deploy:
    needs: deploy-convex
    steps:
      - run: bun run build
      - run: bunx wrangler pages deploy dist --project-name=app --branch=main""",
)

_ASKS_OF_PREVIEWS = "which backend do these previews use, and who brings it the functions of the branch?"


def check(repository: Repository) -> Iterator[Finding]:
    """Yield one finding for each job that publishes, when nothing deploys a backend."""
    if not repository.backends or any(True for _ in queries.pushes(repository)):
        return
    published = [one for one in queries.publishes(repository) if queries.releases(one)]
    first = {(one.workflow.path, one.job.id): one for one in reversed(published) if one.workflow and one.job}
    for one in first.values():
        yield _finding(one, _asks(one, repository), repository)
    for one in queries.drafts(repository) if not published else ():
        yield _finding(one, _ASKS_OF_PREVIEWS, repository)
        return  # one question is enough


def _finding(one: Reached, asks: str, repository: Repository) -> Finding:
    backend = repository.backends[0].folder or "."
    message = f"{queries.step_of(one)} publishes the frontend with {queries.said(one)}, but nothing deploys {backend}"
    return RULE.found(
        queries.place(one),
        f"{message}; {asks}" if asks else f"{message}: new functions are missing until somebody does it by hand",
        _hint(one, backend),
        status="unclear" if asks else "gap",
        confidence=one.confidence,
        reached=one,
    )


def _asks(published: Reached, repository: Repository) -> str:
    """Return what would have to be known, "" when all is."""
    if asks := queries.asks_what(published, repository):
        return asks
    if all(queries.is_example(one.functions) for one in repository.backends):
        return f"is {repository.backends[0].functions} an example, and has the frontend another backend?"
    if published.tool == "deploy hook" or (published.tool == "vercel" and not _is_build_told(repository)):
        host = "Vercel" if published.tool == "vercel" else "the host"
        return f"is the build command in the settings of {host} `npx convex deploy --cmd ...`?"
    for one in queries.unknowns(repository):
        if one.workflow == published.workflow:
            return one.questions[0].text
    return ""


def _is_build_told(repository: Repository) -> bool:
    return any('"buildCommand"' in text for path, text in repository.texts.items() if path.endswith("vercel.json"))


def _hint(published: Reached, backend: str) -> str:
    job = published.job.id if published.job else ""
    folder = "" if backend == "." else f"cd {backend} && "
    return (
        f"add a job deploy-convex with `run: {folder}npx convex deploy --yes` and "
        f"`env: {{CONVEX_DEPLOY_KEY: ${{{{ secrets.CONVEX_DEPLOY_KEY }}}}}}`, and `needs: deploy-convex` to job {job}"
    )
