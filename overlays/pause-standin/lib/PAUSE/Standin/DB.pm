# SPDX-License-Identifier: MIT
package PAUSE::Standin::DB;

# A connection for each of the two databases and process, made when it is needed and made again when
# the server has been away.
use v5.36;

use DBI ();
use Exporter qw(import);
use PAUSE ();

our @EXPORT_OK = qw(mod_db authen_db);

my %open;

sub mod_db () { _connection('MOD') }

sub authen_db () { _connection('AUTHEN') }

sub _connection ($which) {
    my $known = $open{"$which $$"};
    return $known if $known && eval { $known->ping };
    my %options = (
        AutoInactiveDestroy => 1, PrintError => 0, RaiseError => 1, mysql_connect_timeout => 3,
    );
    my @account = $PAUSE::Config->@{ map { "${which}_DATA_SOURCE_$_" } qw(NAME USER PW) };
    return $open{"$which $$"} = DBI->connect(@account, \%options);
}

sub is_duplicate ($error_code) { $error_code == 1062 }

1;
