# SPDX-License-Identifier: MIT
package PAUSE::Standin::Mail;

# Sends plain mails with the transport that the environment names (EMAIL_SENDER_TRANSPORT and its
# arguments). Dies when a mail is not taken.
use v5.36;

use Email::Sender::Simple ();
use Email::Simple ();
use Exporter qw(import);
use PAUSE ();

our @EXPORT_OK = qw(send_mail);

sub send_mail (%mail) {
    my %headers = (
        From => $mail{from} // $PAUSE::Config->{UPLOAD},
        To => $mail{to},
        Subject => $mail{subject} =~ s/\s+/ /gr,
        'Content-Type' => 'text/plain; charset=utf-8',
        'X-Mailer' => 'stand-in of PAUSE',
    );
    $headers{'Reply-To'} = $mail{reply_to} if $mail{reply_to};
    my $text = "$mail{text}\n-- \nThis is the stand-in of PAUSE at $PAUSE::Config->{SERVER_NAME}.\n";
    Email::Sender::Simple->send(
        Email::Simple->create(header => [%headers{ sort keys %headers }], body => $text));
}

1;
