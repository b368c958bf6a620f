"""What a library would tell its makers, kept from being told."""

from __future__ import annotations

import sys


def silence_openvino() -> None:
    """Make OpenVINO take its own stub for telemetry. To be called before anything imports openvino.

    Left alone, `import openvino` writes a client id into ~/intel and starts a process that reports the import to Google
    Analytics (openvino/tools/ovc/__init__.py, openvino_telemetry 2025.2); without the package it uses a stub.
    """
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment] # Python's way to say: not to be imported
