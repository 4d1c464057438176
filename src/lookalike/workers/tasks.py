"""What parent and worker say to each other: the job that tasks have in common, and a task that came to nothing.

They are not in `process.py`: run as a program, that module has another name in the worker than in the parent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from lookalike.errors import LookalikeError, PictureError
from lookalike.settings import Settings

Task = TypeVar("Task")
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Job:
    """What every task of a worker has in common."""

    settings: Settings
    features: tuple[str, ...]
    gallery: Path


@dataclass(frozen=True)
class Failed(Generic[Task]):
    """One task that came to nothing, with the step that failed and the reason in words."""

    task: Task
    stage: str
    reason: str


def answer_to(
    task: Task, work: Callable[[Task], Answer], settings: Settings
) -> Answer | Failed[Task] | LookalikeError:
    """Do one task. A picture that cannot be used costs this task only, whatever it makes a library do.

    What is wrong with more than one picture, such as a gallery that cannot be read, is handed to the parent, which
    raises it.
    """
    try:
        return work(task)
    except PictureError as error:
        return Failed(task, error.stage, str(error))
    except LookalikeError as error:
        return error
    except MemoryError:
        limit = settings.max_memory / 1e9
        return Failed(task, "limit", f"it needs more than {limit:.1f} GB of memory (setting max_memory).")
    except Exception as error:
        return Failed(task, "features", f"unexpected {type(error).__name__}: {error}")
