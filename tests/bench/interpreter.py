"""One inference of a TFLite file, with whichever runtime this Python has: python interpreter.py MODEL RUNS."""

import json
import sys
import time

import numpy as np

try:
    from ai_edge_litert.interpreter import Interpreter
except ImportError:
    from tflite_runtime.interpreter import Interpreter

model, runs = sys.argv[1], int(sys.argv[2])
interpreter = Interpreter(model, num_threads=1)
interpreter.allocate_tensors()
given = interpreter.get_input_details()[0]
sample = np.random.default_rng(0).integers(-128, 127, given["shape"]).astype(given["dtype"])
cpu = []
for _ in range(runs + 1):
    begun = time.process_time()
    for _ in range(200):
        interpreter.set_tensor(given["index"], sample)
        interpreter.invoke()
    cpu.append((time.process_time() - begun) / 200)
print(json.dumps({"cpu_s": cpu[1:]}))
