"""NVIDIA's TensorRT under ONNX Runtime: engines that take minutes to build, and are kept."""
