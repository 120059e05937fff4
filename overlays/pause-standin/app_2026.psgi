# SPDX-License-Identifier: MIT
# The web application of the stand-in of PAUSE. Load it before the workers fork, as "plackup -s
# Starman" does: they share a secret.
use v5.36;
use Cwd ();
use File::Basename qw(dirname);
use lib dirname(Cwd::abs_path(__FILE__)) . '/lib';

use PAUSE::Standin::Web ();

PAUSE::Standin::Web->new->to_app;
