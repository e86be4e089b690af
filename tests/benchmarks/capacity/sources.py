"""Where defaults come from. Links are to the page on which the figure was read."""

THROUGHPUT = "docs/performance-tables.md, throughput"
ACCELERATOR = "tests.benchmarks.accelerator, 2026-11-26"
BENCHMARK = "tests.benchmarks.simulated, 2026-11-26, 2 cores that others used too"
TILES_LOOP = "tests.benchmarks.tiles_loop, 2026-12-01, two runs, 2 cores under a load of 4"
CHART = "deploy/chart/values.yaml"
CODE = "code:"
HPA = "https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/"
AWS_EXAMPLE = "c5, https://docs.aws.amazon.com/autoscaling/ec2/userguide/weights-spot-price-per-unit-hour-example.html"
H100 = "p5.48xlarge, https://aws.amazon.com/ec2/capacityblocks/pricing/"
S3_RATE = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html"
PRICES = {
    "rds": "db.t4g.medium, https://infratally.com/articles/aws-rds-pricing-explained-2026.html",
    "rds storage": "gp3, https://www.usage.ai/blogs/aws/reserved-instances/rds/pricing-calculator/",
    "s3": "https://devnotes.tech/understanding-aws-s3-pricing-a-complete-cost-breakdown-with-examples",
}
