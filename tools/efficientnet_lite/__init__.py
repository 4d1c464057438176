"""EfficientNet-Lite0, from the weights of a Python package to the ONNX files that lookalike ships."""
