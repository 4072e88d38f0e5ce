# Installed below.
