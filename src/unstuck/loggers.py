"""The report where the run is: in TensorBoard, MLflow or Weights & Biases. Each is imported when it is used.

    from unstuck import loggers

    loggers.mlflow(watch.report)

Every one gets the verdict, the counts of findings and the skills as numbers, the report as text, and the HTML page
where the service keeps files. Install with `unstuck[tensorboard]`, `unstuck[mlflow]` or `unstuck[wandb]`.
"""

from __future__ import annotations

import importlib
import tempfile
from pathlib import Path
from typing import Any

from unstuck.errors import UnstuckError
from unstuck.finding import Report
from unstuck.report import html_page, text, to_json

TAG = "unstuck"


def numbers(report: Report) -> dict[str, float]:
    """What is worth plotting over many runs: `unstuck/errors`, `unstuck/held_out_skill`, ...

    Skills are those of the last fit, which is the one that counts after a pretraining.
    """
    fit = report.fits[-1] if report.fits else None
    known = {
        "errors": float(report.summary.error),
        "warnings": float(report.summary.warning),
        "train_skill": fit.train_skill if fit else None,
        "held_out_skill": fit.held_out_skill if fit else None,
        "learnable_skill": fit.learnable_skill if fit else None,
    }
    return {f"{TAG}/{name}": value for name, value in known.items() if value is not None}


def tensorboard(report: Report, log_dir: str | Path) -> None:
    """Write the report into a TensorBoard log folder: text and scalars at the last step of the run."""
    files = _needed("tensorboard.summary.writer.event_file_writer", "tensorboard")
    texts = _needed("tensorboard.plugins.text.summary_v2", "tensorboard")
    scalars = _needed("tensorboard.plugins.scalar.summary_v2", "tensorboard")
    events = _needed("tensorboard.compat.proto.event_pb2", "tensorboard")
    writer = files.EventFileWriter(str(log_dir))
    shown = texts.text_pb(f"{TAG}/report", "\n".join(f"    {line}" for line in text(report).splitlines()))
    for summary in [shown, *(scalars.scalar_pb(name, value) for name, value in numbers(report).items())]:
        writer.add_event(events.Event(step=report.run.steps, summary=summary))
    writer.close()


def mlflow(report: Report) -> None:
    """Log the report to the active MLflow run: metrics, the tag `unstuck.verdict`, the page and the JSON as files."""
    client = _needed("mlflow", "mlflow")
    client.log_metrics(numbers(report))
    client.set_tag(f"{TAG}.verdict", report.summary.verdict)
    client.log_text(html_page(report), f"{TAG}/report.html")
    client.log_text(to_json(report), f"{TAG}/report.json")


def wandb(report: Report) -> None:
    """Log the report to the active Weights & Biases run: metrics, the verdict in its summary, the page as a panel."""
    client = _needed("wandb", "wandb")
    if client.run is None:
        raise UnstuckError("E017", "no Weights & Biases run is active", expected="one", do="call wandb.init() first")
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        page.write_text(html_page(report), encoding="utf-8")
        client.log({**numbers(report), f"{TAG}/report": client.Html(str(page), inject=False)})
    client.run.summary[f"{TAG}/verdict"] = report.summary.verdict


def _needed(module: str, extra: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UnstuckError(
            "E023", f"{extra} is not installed ({error})", expected="it", do=f"pip install 'unstuck[{extra}]'"
        ) from None
