"""Runs the tests of the charts, then checks all rendered objects. Called by ct/charts.sh."""

import pathlib
import sys
import unittest

import helm
import manifests


def main():
    helm.copy_charts()
    here = str(pathlib.Path(__file__).parent)
    suite = unittest.defaultTestLoader.discover(here, pattern="*_test.py", top_level_dir=here)
    result = unittest.TextTestRunner().run(suite)
    problems, count = manifests.check(helm.rendered)
    for problem in problems:
        print(problem, file=sys.stderr)
    versions = manifests.VERSIONS
    print(f"{len(helm.rendered)} renderings, {count} objects checked for Kubernetes {versions[0]} to {versions[-1]}: {len(problems)} problems")
    return 0 if result.wasSuccessful() and not problems else 1


if __name__ == "__main__":
    sys.exit(main())
