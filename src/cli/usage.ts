export const USAGE = `Usage: myelin <command>

  serve                start the server
    --config FILE        settings (./config.yaml if there is one)
    --data DIR           where the data lie (./data)
    --port N             the port to listen on, whatever the settings say
  config check         find every fault of the settings
  config sample        print every setting with its meaning and default
  admin create-user    make an account
    --username NAME      the part of the user id before the colon
    --admin              with the role system-admin
    --password-stdin     read the password from standard input
  admin add-mail-address   let a user have notifications mailed to an address
    --username NAME      the part of the user id before the colon
    --address ADDRESS    the mail address
  admin login          print a token of an administrator, for the commands that follow
    --username NAME      the part of the user id before the colon
  admin request METHOD PATH [JSON]   ask the admin API of a running server
  admin import-users FILE   make accounts of a list (CSV, or lines of JSON)
    --dry-run            only say what is wrong with it
  admin users          list, show USER, deactivate USER [--erase], lock USER,
                       unlock USER, reset-password USER [--keep-sessions]
  admin rooms          list [--search TEXT], show ROOM, delete ROOM [--block] [--keep]
  admin roles          list, bindings [--user USER], revoke BINDING,
                       grant USER ROLE --reason TEXT [--scope KIND:ID] [--days N]
  admin tokens         list, create NAME --permissions A,B [--days N], revoke ID
  admin registration-tokens   list, create [--uses N] [--days N], delete TOKEN
  admin jobs           list [--state STATE], cancel JOB
  admin audit query    [--actor WHO] [--action ACT] [--target ID] [--result RESULT]
  admin alerts         list [--open], acknowledge ALERT --comment TEXT
    --token-file FILE    the token; or in MYELIN_ADMIN_TOKEN
    --url URL            where administrators are served (the socket in the data folder)
    --json               the answer as it is, and no table
  owner USER_ID        let a user grant the first roles
  incident drill       go through an incident, and say how long each step took
  policy off NAME      have a policy decide nothing any more
  audit verify FILE    say whether an exported audit log is what was written
    --key KEY            the public key of its checkpoints, or a file that holds it
    --checkpoint FILE    checkpoints that were kept elsewhere; may be given again
    --from-seq N         where the export begins, if it is a part of the log
  audit export         print the audit log
    --format NAME        ndjson, csv or cef (ndjson, which alone can be verified)
    --from-seq N         from this record on
  audit key            print the public key of the checkpoints
    --all                and of those that signed before, the first one first
  audit rotate-key     have another key sign the checkpoints; the old one signs that
    --destroy            remove the old key's file too
  retention verify FILE   say whether a certificate of destruction is genuine
    --key KEY            the public key as audit key prints it, or a file that holds it
  privacy verify FILE  say whether somebody's export, or the certificate that they were erased, is genuine
    --key KEY            the public key as audit key prints it, or a file that holds it
  keys rotate          wrap all living keys under a new master key
    --destroy            remove the old master keys' files too
  database grant       bring your own database up to date, and let a role serve with it
    --role NAME          the role; it changes no table, and nothing of the audit log
  database verify      read every event, and say which one is not what its id and its hash are of
  database upgrade     bring the private PostgreSQL to a newer version

config, admin, owner, incident, policy, database, keys, audit export, audit key and
audit rotate-key take --config too, and all but config --data.
`;

/** The command line cannot be understood. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
