"""What so many images a day need: workers, servers, requests and money, by calculation and by simulation.

``python -m deploy.capacity`` prints the tables of ``docs/scaling.md``.
"""
