"""Strategies of untrusted modules, each in a process of its own behind walls.

sources.py reads a module without running it, image.py asks a worker what its strategy declares,
strategy.py stands for it in this process, process.py starts the worker, watches its time and ends
it, frames.py and values.py are what goes through the pipes. worker.py is what runs there: it
preloads what strategies may import, raises the walls (walls.py, bpf.py), and only then runs the
module (loader.py). samples.py is what a strategy has to master before it is believed.
"""
