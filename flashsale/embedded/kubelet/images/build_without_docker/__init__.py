"""What a Dockerfile's instructions come to on a node that has no Docker.

- ``dockerfile_reader``: follows the stages; ``image_recipe``: what they come to
- ``copy_files``: COPY and ADD; ``base_images``: FROM
- ``run_commands``: RUN, as far as that goes: its script (``shell/``), command after command
  (``simple_commands``), which make files (``file_commands``, ``system_packages``) and install
  (``install_words``, ``install_commands``)
"""
