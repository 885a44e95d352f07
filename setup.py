"""What setup.cfg cannot say: `deploy/` goes into the wheel, as `fleet/deploy/`.

So `ngatu fleet init` has playbooks, roles and units for whoever has only the wheel. Everything else that is to
be said of the package stands in setup.cfg.
"""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

DEPLOYED = (
    "ansible/*.yml",
    "ansible/*.cfg",
    "ansible/README.md",
    "ansible/host_vars/localhost.yml",
    "ansible/inventory/example/**/*",
    "ansible/roles/**/*",
    "locks/*.lock",
    "oci/*.conf",
    "oci/*.yaml",
    "systemd/*",
)
"""Named one by one: whoever runs playbooks in a checkout may have keys and inventories of his own below it."""


class BuildPy(build_py):
    """Copies the files behind the packages; an editable installation finds them where they are."""

    def run(self):
        """Build the packages, then copy."""
        super().run()
        if self.editable_mode:
            return
        for source in sorted({path for each in DEPLOYED for path in Path("deploy").glob(each)}):
            if source.is_file() and "__pycache__" not in source.parts:
                target = Path(self.build_lib, "fleet", source)
                self.mkpath(str(target.parent))
                self.copy_file(str(source), str(target))


setup(cmdclass={"build_py": BuildPy})
