(* Compresses standard input as the OCaml nodes do: the same library, the same level. *)
let () =
  let out = Gzip.open_out ~level:6 Sys.argv.(1) in
  let buffer = Bytes.create 65536 in
  let rec copy () =
    match input stdin buffer 0 (Bytes.length buffer) with
    | 0 -> ()
    | length -> Gzip.output out buffer 0 length; copy ()
  in
  copy ();
  Gzip.close_out out
